"""What time does to members: scores fall, and with them champions."""

from __future__ import annotations

from agents_app.agents.base import Context
from agents_app.community import journey
from community.models import Member
from contacts import interactions
from contacts.models import Contact, Interaction

BATCH = 500


def scores(context: Context) -> int:
    """Writes the scores that differ by now and lets the workflows follow; returns how many members it concerned.

    Silence needs no look here: the workflow's own timers count it.
    """
    written, after = 0, 0
    scored = Member.objects.live().filter(engagement_score__gt=0, contact_profile__isnull=False).order_by("pk")
    while rows := list(scored.filter(pk__gt=after)[:BATCH]):
        after = rows[-1].pk
        people = [row.contact_profile_id for row in rows]
        done: dict[int | None, list[tuple[object, int]]] = {pk: [] for pk in people}
        told = Interaction.objects.filter(
            contact__in=[pk for pk in people if pk],
            kind__in=interactions.COMMUNITY,
            at__gte=context.now - interactions.WINDOW,
        )
        for contact_id, at, points in told.order_by().values_list("contact_id", "at", "points"):
            done[contact_id].append((at, points))
        for member in rows:
            value = interactions.score(done[member.contact_profile_id], context.now)  # type: ignore[arg-type]
            if done[member.contact_profile_id] and value != member.engagement_score:
                _write(member, value, context)
                written += 1
    return written


def _write(member: Member, value: int, context: Context) -> None:
    member.engagement_score = value
    member.save(update_fields=["engagement_score"])
    contact = Contact.objects.filter(pk=member.contact_profile_id or 0).first()
    if contact is not None and journey.of(contact) is not None:
        journey.follow(contact, member, context)
