"""Members: one row of the Community Hub for each, computed from all that they did, and a workflow for their stay."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from agents_app.agents.base import Context, Created, Outcome, Result
from agents_app.choices import SourceSystem
from agents_app.community import journey, nudges, rewards
from agents_app.services import catalog, errands, people
from agents_app.text import one_line, union
from community.choices import EngagementType, MembershipLevel, MembershipStatus, Platform
from community.models import Member
from contacts import interactions
from contacts.choices import ContactType, LeadSource
from contacts.choices import InteractionKind as Kind
from contacts.models import Contact, Interaction
from higherself.core.errors import Permanent
from higherself.integrations.events import EventKind
from higherself.integrations.material import CommunityMaterial, MemberMaterial

TAG = "Community Member"
SOURCE = SourceSystem.CIRCLE.value
# Set by staff, and not lifted because somebody was active.
_BY_STAFF = (MembershipStatus.SUSPENDED, MembershipStatus.EXPIRED, MembershipStatus.PENDING)
# What somebody does who was not here before. That a member is active does not bring back who was erased.
_OWN = (EventKind.MEMBER_JOINED, EventKind.MEMBER_PURCHASED)
_ENGAGEMENT = {
    Kind.POST: EngagementType.POST,
    Kind.COMMENT: EngagementType.COMMENT,
    Kind.REACTION: EngagementType.REACTION,
    Kind.LOGIN: EngagementType.LOGIN,
    Kind.EVENT_ATTENDED: EngagementType.EVENT,
    Kind.EVENT_SIGNUP: EngagementType.EVENT,
}


def hear(data: CommunityMaterial | MemberMaterial, context: Context) -> Outcome:
    """Takes one nudge, or what was read about one member."""
    done = nudges.doing(data, context)
    identity = nudges.identity(data.member_id)
    contact, new = _contact(data, identity, context)
    fresh = False
    if done.kind:
        fresh = interactions.record(
            contact, done.kind, source=SOURCE, key=done.key, at=done.at, identity=identity, about=done.about
        )
    if contact is None:
        return _unknown(data, fresh)
    interactions.claim(identity, contact)
    people.count(contact, context.now)
    member, joined = settle(contact, context, data)
    moved = journey.follow(contact, member, context)
    earned = rewards.issue_for_score(member, contact, context.now)
    rows = [*([contact] if new else []), *([member] if joined else []), *moved.created, *earned]
    if not (rows or fresh or moved.text or isinstance(data, MemberMaterial) or not done.kind):
        return Outcome(Result.DUPLICATE, f"This was told of {member} already.")
    text = f"{member}: {_named(done.kind)}{moved.text}; engagement {member.engagement_score}."
    return Outcome(Result.DONE, text, tuple(Created.of(row) for row in rows))


def _named(kind: str) -> str:
    return Kind(kind).label.lower() if kind else "profile looked at"


def _unknown(data: CommunityMaterial | MemberMaterial, fresh: bool) -> Outcome:
    if not data.member_id:
        return Outcome(Result.NOTHING, "Circle names no member, neither by address nor by id: nothing to count it for.")
    return Outcome(
        Result.DONE if fresh else Result.NOTHING,
        f"Circle's member {one_line(data.member_id, 60)} is not known here yet: what they did is kept and counts as "
        "soon as Circle tells who that is.",
    )


def _contact(data: CommunityMaterial | MemberMaterial, identity: str, context: Context) -> tuple[Contact | None, bool]:
    if not data.email:
        found = interactions.known_as(identity)
        return (Contact.objects.select_for_update().get(pk=found.pk) if found else None), False
    entity = catalog.current().entity_of_source(SOURCE)
    read = data if isinstance(data, MemberMaterial) else None
    return people.remember(
        people.Person(
            email=data.email,
            source=LeadSource.CIRCLE,
            at=_earliest(data, context),
            source_record_id=data.member_id,
            name=data.name,
            first_name=read.first_name if read else "",
            last_name=read.last_name if read else "",
            contact_type=ContactType.COMMUNITY_MEMBER,
            tags=[TAG],
            entities=[entity] if entity else [],
            external={nudges.SERVICE: data.member_id} if data.member_id else {},
            own=bool(read and read.joined_at) or context.kind in _OWN,
        )
    )


def _earliest(data: CommunityMaterial | MemberMaterial, context: Context) -> Any:
    told = data.joined_at if isinstance(data, MemberMaterial) else None
    return told or context.occurred_at


def settle(
    contact: Contact, context: Context, data: CommunityMaterial | MemberMaterial | None = None
) -> tuple[Member, bool]:
    """Makes the member's row what follows from everything known; returns it and whether it is new."""
    rows = list(contact.interactions.filter(kind__in=interactions.COMMUNITY | {Kind.PURCHASE}).order_by("at", "pk"))
    member = Member.objects.select_for_update().filter(member_email=contact.email, archived_at__isnull=True).first()
    new = member is None
    if member is None:
        entity = contact.business_entities.order_by("pk").first()
        member = Member(member_email=contact.email, business_entity=entity, join_date=None)
    wanted = {**_figures(member, rows, context), **_profile(member, contact, data)}
    changed = [name for name, value in wanted.items() if getattr(member, name) != value]
    for name in changed:
        setattr(member, name, wanted[name])
    if new:
        member.save(force_insert=True)
    elif changed:
        member.save(update_fields=changed)
    return member, new


def _figures(member: Member, rows: list[Interaction], context: Context) -> dict[str, Any]:
    here = [row for row in rows if row.kind in interactions.COMMUNITY]
    active = [row for row in here if row.kind not in interactions.PASSIVE]
    wanted: dict[str, Any] = {
        "engagement_score": interactions.score(((row.at, row.points) for row in here), context.now),
    }
    if active:
        # Of two at the same moment the more telling one, whichever arrived first.
        last = max(active, key=lambda row: (row.at, row.kind in _ENGAGEMENT, row.kind))
        wanted["last_active_date"] = last.at
        wanted["last_engagement_type"] = _ENGAGEMENT.get(Kind(last.kind), EngagementType.OTHER)
    if here:
        first = min(row.at for row in here)
        wanted["join_date"] = min(first, member.join_date) if member.join_date else first
    attended = [f"Circle event {row.about}" for row in here if row.kind == Kind.EVENT_ATTENDED and row.about]
    wanted["events_attended"] = union(member.events_attended, attended)
    joined = any(row.kind == Kind.JOINED for row in here)
    if member.membership_status not in _BY_STAFF or (member.membership_status == MembershipStatus.PENDING and joined):
        wanted["membership_status"] = MembershipStatus.INACTIVE if has_left(here) else MembershipStatus.ACTIVE
    # What somebody buys in the shop is no membership.
    paid = any(row.kind == Kind.PURCHASE and row.source == SOURCE for row in rows)
    if paid and member.membership_level == MembershipLevel.STANDARD:
        wanted["membership_level"] = MembershipLevel.PREMIUM
    return wanted


def has_left(rows: list[Interaction]) -> bool:
    """Whoever left is gone with the identity that left; they may be back under another, or by address."""
    gone = {row.identity for row in rows if row.kind == Kind.LEFT}
    if not gone:
        return False
    circle = [row for row in rows if row.source == SOURCE]
    left_at = max(row.at for row in circle if row.kind == Kind.LEFT)
    back = any(row.identity not in gone for row in circle if row.identity)
    back_by_address = any(not row.identity and row.kind == Kind.JOINED and row.at > left_at for row in circle)
    return not (back or back_by_address)


def _profile(member: Member, contact: Contact, data: CommunityMaterial | MemberMaterial | None) -> dict[str, Any]:
    wanted: dict[str, Any] = {
        "contact_profile_id": contact.pk,
        "member_name": member.member_name or contact.full_name or contact.email,
        "primary_platform": member.primary_platform or Platform.CIRCLE,
    }
    if member.member_name in ("", contact.email) and contact.full_name:
        wanted["member_name"] = contact.full_name
    if data is not None and data.member_id:
        known = member.platform_ids if isinstance(member.platform_ids, dict) else {}
        wanted["platform_ids"] = {**known, nudges.SERVICE: data.member_id}
    if isinstance(data, MemberMaterial):
        wanted["interest_groups"] = union(member.interest_groups, data.tags)
        if data.profile_url:
            wanted["profile_link"] = data.profile_url[:2000]
    return wanted


def study(contact: Contact, context: Context) -> None:
    """A course that a member took counts for their engagement too; others do not become members by it."""
    if Member.objects.live().filter(contact_profile=contact).exists():
        member, _ = settle(contact, context)
        journey.follow(contact, member, context)
        rewards.issue_for_score(member, contact, context.now)


def event_announced(data: CommunityMaterial, context: Context) -> Outcome:
    """A community event is new or has changed: somebody has to tell people about it, once."""
    name = data.ids.get("event_id", "") or context.source_id
    if not name:
        raise Permanent("Circle tells of a community event without its id. Look it up in Circle; nothing was made.")
    entity = catalog.current().entity_of_source(SOURCE)
    task, created = errands.errand(
        f"circle-event:{name}",
        f"Promote community event {one_line(name, 60)}",
        "Circle announced the event. Tell the members whom it interests.",
        context,
        entity=entity,
        due=timedelta(days=1),
    )
    if not created:
        return Outcome(Result.DUPLICATE, f"Community event {name} has its task already.")
    return Outcome(Result.DONE, f"A task to promote community event {name}.", (Created.of(task),))
