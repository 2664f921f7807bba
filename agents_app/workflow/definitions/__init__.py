"""The eight flows that the server knows, as data. The Workflows Library may change them; these are the seeds."""

from __future__ import annotations

from agents_app.workflow.definitions import (
    art_sale,
    audience_segmentation,
    community_engagement,
    content_lifecycle,
    lead_capture,
    marketing_campaign,
    retreat_booking,
    task_management,
)
from agents_app.workflow.machine import Definition, parse

SOURCES = {
    module.DEFINITION["id"]: module.DEFINITION
    for module in (
        lead_capture,
        retreat_booking,
        art_sale,
        marketing_campaign,
        task_management,
        community_engagement,
        content_lifecycle,
        audience_segmentation,
    )
}


def load(workflow_id: str) -> Definition:
    """The definition that ships with the server; raises KeyError for an unknown id."""
    return parse(SOURCES[workflow_id])
