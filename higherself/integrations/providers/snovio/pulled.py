"""What we read from Snov.io ourselves, as deliveries: what recipients did as its webhooks tell it, and profiles."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from higherself.integrations.delivery import Delivery
from higherself.integrations.events import Event, EventKind
from higherself.integrations.kinds import event
from higherself.integrations.material import ProspectProfileMaterial
from higherself.integrations.providers.snovio.schemas import Profile
from higherself.integrations.reading import as_list, find, found_text, read, text

# recipients-activity's words, as the webhooks name the same.
_ACTIVITY = {
    "sent": ("campaign_email", "sent"),
    "open": ("campaign_email", "opened"),
    "click": ("campaign_email", "clicked"),
    "bounce": ("campaign_email", "bounced"),
    "unsubscribe": ("prospect", "unsubscribed"),
}
_REPLIES = {"email": ("campaign_reply", "received")}


def activity(rows: list[dict[str, Any]], campaign: Mapping[str, str]) -> list[Delivery]:
    """Answers are left out: `replies` has them with their words."""
    found = []
    for row in rows:
        names = _ACTIVITY.get(text(row.get("event_type")))
        if names:
            more = {"campaign_id": campaign["id"], "campaign_name": campaign["name"]}
            found.append(_delivery(names, {**row, **more}, "backfill"))
    return found


def replies(rows: list[dict[str, Any]]) -> list[Delivery]:
    """The newest answer of each: its text, and where the conversation stands."""
    found = []
    for row in rows:
        conversation = [item for item in as_list(row.get("replies")) or [] if isinstance(item, dict)]
        newest = conversation[-1] if conversation else {}
        told = {name: value for name, value in row.items() if name != "replies"}
        told |= {"subject": newest.get("subject"), "message": newest.get("message")}
        names = _REPLIES.get(text(row.get("replyType")), ("campaign_li_reply", "received"))
        found.append(_delivery(names, told, "backfill"))
    return found


def profile(found: Mapping[str, Any], email: str, statuses: Mapping[str, str]) -> Delivery:
    body = {"profile": found, "email": email, "statuses": statuses}
    return _json_delivery(body, "prospect.enrich")


def read_profile(body: Mapping[str, Any], delivery: Delivery, source: str) -> Event:
    found, problems = read(Profile, body.get("profile") or {})
    email = text(body.get("email"))
    job = next((item for item in found.current_jobs if isinstance(item, dict)), {})
    statuses = body.get("statuses")
    return event(
        EventKind.PROSPECT_READ,
        ProspectProfileMaterial(
            prospect_id=found.id,
            email=email,
            name=found.name or f"{found.first_name} {found.last_name}".strip(),
            first_name=found.first_name,
            last_name=found.last_name,
            position=found_text(job, "position"),
            company=found_text(job, "companyName"),
            company_site=found_text(job, "site"),
            industry=found.industry or found_text(job, "industry"),
            country=found.country,
            locality=found.locality,
            linkedin=_linkedin(found.social),
            lists=_names(found.lists),
            campaigns=_names(found.campaigns),
            statuses={str(name): text(value) for name, value in statuses.items()} if isinstance(statuses, dict) else {},
            problems=problems,
        ),
        source=source,
        source_id=found.id or email,
        occurred_at=delivery.received_at,
        key=f"prospect:{email.lower()}",
    )


def _linkedin(social: list[Any]) -> str:
    links = [text(find(item, "link", "url")) for item in social if isinstance(item, dict)]
    return next((link for link in links if "linkedin" in link.lower()), "")


def _names(items: list[Any]) -> list[str]:
    found = [found_text(item, "name", "campaign") if isinstance(item, dict) else text(item) for item in items]
    return [name for name in found if name]


def _delivery(names: tuple[str, str], row: Mapping[str, Any], operation: str) -> Delivery:
    return _json_delivery({"event_object": names[0], "event_action": names[1], **row}, operation)


def _json_delivery(body: Mapping[str, Any], operation: str) -> Delivery:
    content = json.dumps(body, ensure_ascii=False, sort_keys=True).encode("utf-8", "replace")
    return Delivery(content, content_type="application/json", pulled=operation)
