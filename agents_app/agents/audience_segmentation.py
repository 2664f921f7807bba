"""Flow 8: segments over contacts and members, carried to platforms; and the CRM's view of our contacts."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict

from agents_app.agents.base import BaseAgent, Context, Outcome, WorkKind
from agents_app.audience import crm, runs
from higherself.integrations.events import EventKind
from higherself.integrations.material import CrmMaterial


class AudienceDue(BaseModel):
    """An analysis may be due or under way. ``asked_by`` names who wants one now."""

    model_config = ConfigDict(frozen=True)

    asked_by: str = ""


class AudienceSegmentationAgent(BaseAgent):
    name = "Audience Segmentation Agent"
    description = "Keeps segments up to date every day, carries them to contacts and Beehiiv, and listens to HubSpot."
    capabilities = ("Audience Analysis", "CRM Sync", "Customer Segmentation", "Data Analysis")
    apis = ("NOTION_API", "HUBSPOT_API", "WOOCOMMERCE_API", "AMELIA_API", "TUTORLM_API", "BEEHIIV_API")
    consumes = {
        **dict.fromkeys(
            (
                *(EventKind.CONTACT_CHANGED, EventKind.CONTACT_MERGED),
                *(EventKind.CONTACT_DELETED, EventKind.CONTACT_FORGOTTEN),
            ),
            CrmMaterial,
        ),
        WorkKind.AUDIENCE_DUE: AudienceDue,
    }
    emits = {"WF-AUDIENCE": ("run_started", "collected", "evaluated", "written", "synced")}

    def handle(self, data: Any, context: Context) -> Outcome:
        if isinstance(data, CrmMaterial):
            return crm.hear(data, context)
        return runs.step(context, asked=data.asked_by)
