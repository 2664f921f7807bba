"""What HubSpot says of our contacts: a no is a no, ids are kept true, blanks are filled. Notion stays the truth."""

from __future__ import annotations

from typing import Any

from agents_app.agents.base import Context, Created, Outcome, Result
from agents_app.leads.schema import normalise_phone
from agents_app.models import Approval
from agents_app.services import approvals, erasing
from agents_app.text import one_line
from contacts import consent
from contacts.merging import known_by
from contacts.models import Contact
from higherself.integrations.events import EventKind
from higherself.integrations.material import CrmMaterial

SOURCE = "HubSpot"
# HubSpot: contact properties. The opt-out of everything that is mailed by HubSpot.
_OPT_OUT = "hs_email_optout"
_FIELDS = {
    "firstname": "first_name",
    "lastname": "last_name",
    "phone": "phone",
    "company": "company",
    "jobtitle": "job_title",
    "city": "city",
}


def hear(data: CrmMaterial, context: Context) -> Outcome:
    contact = _known(data)
    if contact is None:
        return Outcome(Result.NOTHING, f"HubSpot's contact {one_line(data.record_id, 40)} is none of ours.")
    kind = EventKind(context.kind)
    if kind == EventKind.CONTACT_FORGOTTEN:
        return _forgotten(contact, context)
    if kind == EventKind.CONTACT_DELETED:
        return _set(contact, {"hubspot_contact_id": ""}, "is no longer in HubSpot")
    if kind == EventKind.CONTACT_MERGED:
        return _set(contact, {"hubspot_contact_id": data.record_id[:200]}, "was merged with another one in HubSpot")
    return _changed(contact, data, context)


def _known(data: CrmMaterial) -> Contact | None:
    return known_by("hubspot_contact_id", [one_line(name, 200) for name in (data.record_id, *data.merged_ids)])


def _changed(contact: Contact, data: CrmMaterial, context: Context) -> Outcome:
    told = {data.property: data.value} if data.property else dict(data.properties)
    at = context.occurred_at
    said = ""
    if str(told.get(_OPT_OUT, "")).casefold() == "true":
        key = f"hubspot:{data.record_id}:no:{at.isoformat()}"
        consent.withdrawn(contact, SOURCE, key=key, at=at, detail="HubSpot: opted out of e-mail")
        said = "wants no more mail"
    elif str(told.get(_OPT_OUT, "")).casefold() == "false":
        # Only takes back what was said there; it is no consent of its own where HubSpot never heard a no.
        no = contact.consent_history.filter(source=SOURCE, granted=False)
        if no.exists():
            key = f"hubspot:{data.record_id}:yes:{at.isoformat()}"
            consent.granted(contact, SOURCE, key=key, at=at, detail="HubSpot: opted in again")
            said = "takes mail from HubSpot again"
    blank: dict[str, Any] = {
        ours: one_line(told[theirs], 200)
        for theirs, ours in _FIELDS.items()
        if told.get(theirs) and not getattr(contact, ours)
    }
    if "phone" in blank:
        blank["phone"] = normalise_phone(blank["phone"])
    if not blank and not said:
        return Outcome(Result.NOTHING, f"{contact}: what HubSpot tells is known, or is decided in Notion.")
    names = ", ".join(name.replace("_", " ") for name in blank)
    return _set(contact, blank, "; ".join(part for part in (said, f"{names} from HubSpot" if names else "") if part))


def _set(contact: Contact, values: dict[str, Any], said: str) -> Outcome:
    changed = [name for name, value in values.items() if getattr(contact, name) != value]
    for name in changed:
        setattr(contact, name, values[name])
    if changed:
        contact.save(update_fields=changed)
    return Outcome(Result.DONE if changed or not values else Result.DUPLICATE, f"{contact} {said}.")


def _forgotten(contact: Contact, context: Context) -> Outcome:
    """The person wants to be forgotten. Nobody writes to them from now on; the erasure waits for an Owner's word."""
    at = context.occurred_at
    key = f"hubspot:{contact.contact_id}:forgotten"
    consent.withdrawn(contact, SOURCE, key=key, at=at, detail="HubSpot: asked to be forgotten")
    asked = Approval.objects.filter(action=erasing.ACTION, subject_id=contact.pk).exclude(status="withdrawn")
    if asked.exists():
        return Outcome(Result.DUPLICATE, f"{contact} has asked to be forgotten already.")
    wanted = approvals.request(
        erasing.ACTION,
        contact,
        requested_by=SOURCE,
        note="This person asked in HubSpot to be forgotten (GDPR). The law gives a month for it. Approving erases them "
        "here, in Notion and at all services.",
    )
    text = f"{contact} wants to be forgotten: {wanted.approval_id} waits for an Owner."
    return Outcome(Result.DONE, text, (Created.of(wanted),))
