"""Outreach by Snov.io: replies are leads, a no is kept, and what people do counts once we know them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from agents_app.agents import handover
from agents_app.agents.base import Context, Created, Outcome, Result, WorkKind
from agents_app.leads.schema import LeadSubmission, email_problem, normalise_email
from agents_app.services import errands, people
from agents_app.services.contacts import locked
from agents_app.text import one_line, option_names
from contacts import consent, interactions
from contacts.choices import InteractionKind as Kind
from contacts.choices import LeadSource
from contacts.models import Contact, Interaction
from higherself.integrations.events import EventKind
from higherself.integrations.material import ProspectMaterial, ProspectProfileMaterial

SOURCE = LeadSource.SNOVIO.value
LEADS = "LeadCaptureAgent"
_BY_WORD = {
    "opened": Kind.EMAIL_OPENED,
    "clicked": Kind.EMAIL_CLICKED,
    "sent": Kind.EMAIL_SENT,
    "first_sent": Kind.EMAIL_SENT,
}
_BY_KIND = {
    EventKind.PROSPECT_REPLIED: Kind.EMAIL_REPLIED,
    EventKind.PROSPECT_BOUNCED: Kind.EMAIL_BOUNCED,
}


def hear(data: ProspectMaterial, context: Context) -> Outcome:
    kind = EventKind(context.kind)
    address = _address(data.email)
    identities = [f"snovio:{data.prospect_id}"] if data.prospect_id else []
    contact = locked(address) if address else interactions.known_as(next(iter(identities), ""))
    made: list[Created] = []
    if kind == EventKind.PROSPECT_UNSUBSCRIBED and contact is None and address:
        # A no has to be known before anybody writes to this person from elsewhere.
        contact, _ = people.remember(
            people.Person(email=address, source=SOURCE, at=context.occurred_at, name=data.name)
        )
        made.append(Created.of(contact))
    fresh = _note(data, kind, contact, identities, address, context)
    if kind == EventKind.PROSPECT_REPLIED and address:
        outcome = _lead(address, data.name, data.message or data.subject, data.campaign, context)
        contact = locked(address)
        made += outcome.created
        fresh = fresh or outcome.result == Result.DONE
    if contact is None:
        return _stranger(data, fresh)
    for identity in [*identities, f"email:{contact.email}"]:
        interactions.claim(identity, contact)
    people.count(contact, context.now)
    text, more = _follow(contact, kind, data, context)
    return Outcome(Result.DONE if fresh or made or more else Result.DUPLICATE, f"{contact}: {text}.", (*made, *more))


def _address(email: str) -> str:
    return "" if email_problem(email) else normalise_email(email)


def _note(
    data: ProspectMaterial,
    kind: EventKind,
    contact: Contact | None,
    identities: list[str],
    address: str,
    context: Context,
) -> bool:
    word = data.change.rpartition(".")[2]
    done = _BY_KIND.get(kind) or _BY_WORD.get(word)
    if done is None:
        return False
    who = data.prospect_id or address or data.linkedin
    # There is no id of the event: the same sign on the same day about the same campaign is the same.
    key = f"snovio:{done}:{who}:{data.campaign_id}:{context.occurred_at.date().isoformat()}"
    return interactions.record(
        contact,
        done,
        source=SOURCE,
        key=key,
        at=context.occurred_at,
        identity=next(iter(identities), f"email:{address}" if address else ""),
        about=data.campaign,
    )


def _stranger(data: ProspectMaterial, fresh: bool) -> Outcome:
    who = one_line(data.email or data.prospect_id or data.linkedin or "somebody", 60)
    return Outcome(
        Result.DONE if fresh else Result.NOTHING,
        f"{who} is nobody we know yet: it is kept, and counts when they reply or come to us otherwise.",
    )


def _lead(address: str, name: str, message: str, campaign: str, context: Context) -> Outcome:
    """A reply is a lead like a form: mapped, scored, answered."""
    submission = LeadSubmission(
        form_title=f"Reply to {one_line(campaign, 100)}" if campaign else "Reply to outreach",
        fields={"email": address, "name": name, "message": message},
        submitted_at=context.occurred_at,
    )
    return handover.hand_over(LEADS, WorkKind.LEAD_FOUND, submission, context)


def _follow(
    contact: Contact, kind: EventKind, data: ProspectMaterial, context: Context
) -> tuple[str, tuple[Created, ...]]:
    if kind == EventKind.PROSPECT_UNSUBSCRIBED:
        at = context.occurred_at
        key = f"snovio:{contact.contact_id}:no:{at.isoformat()}"
        consent.withdrawn(contact, SOURCE, key=key, at=at, detail="Snov.io: unsubscribed")
        return "wants no more mail", ()
    if kind == EventKind.PROSPECT_BOUNCED:
        task, created = errands.errand(
            f"{contact.contact_id}:bounced:{contact.email}",
            f"Correct the e-mail address of {contact}",
            f"Mail to {contact.email} could not be delivered ({data.campaign or 'Snov.io'}).",
            context,
            contact=contact,
            due=timedelta(days=3),
            assignee_text="marketing",
            category="Marketing",
        )
        return "mail came back", (Created.of(task),) if created else ()
    words = {EventKind.PROSPECT_REPLIED: "replied", EventKind.PROSPECT_FINISHED: "has been through the campaign"}
    return words.get(kind, data.change or "was active"), ()


def profile(data: ProspectProfileMaterial, context: Context) -> Outcome:
    """What was read about a prospect. Who has replied already, without an address, becomes a lead now."""
    address = _address(data.email)
    if not address:
        return Outcome(Result.NOTHING, "Snov.io knows no address of this prospect: nobody could be written to.")
    identity = f"snovio:{data.prospect_id}" if data.prospect_id else ""
    waiting = Interaction.objects.filter(identity=identity, contact__isnull=True, kind=Kind.EMAIL_REPLIED)
    made: tuple[Created, ...] = ()
    contact = locked(address)
    if identity and waiting.exists():
        made = _lead(address, data.name, "", "", context).created
        contact = locked(address)
    if contact is None:
        return Outcome(Result.NOTHING, f"{address} is nobody we know yet: they did not reply.")
    interactions.claim(identity, contact)
    people.count(contact, context.now)
    changed = _fill(contact, data)
    if not changed and not made:
        return Outcome(Result.NOTHING, f"{contact}: nothing new.")
    names = ", ".join(name.replace("_", " ") for name in changed) or "a reply"
    return Outcome(Result.DONE, f"{contact}: {names} from Snov.io.", made)


def _fill(contact: Contact, data: ProspectProfileMaterial) -> list[str]:
    """Only blanks: what is known of a contact came from themselves or from staff."""
    told: dict[str, Any] = {
        "first_name": data.first_name,
        "last_name": data.last_name,
        "company": data.company,
        "job_title": data.position,
        "country": next(iter(option_names([data.country])), ""),
        "city": data.locality,
    }
    changed = [name for name, value in told.items() if value and not getattr(contact, name)]
    for name in changed:
        setattr(contact, name, one_line(told[name], 500))
    if changed:
        contact.save(update_fields=changed)
    return changed
