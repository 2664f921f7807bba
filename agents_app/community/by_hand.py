"""What people decide about members, contacts, feedback and rewards, in Notion or in the console."""

from __future__ import annotations

from collections.abc import Callable

from django.db.models import QuerySet
from django.utils import timezone

from agents_app.agents.base import Context, Created, Outcome, RecordEdited, Result
from agents_app.choices import OPEN_TASK, TaskStatus
from agents_app.community import journey, members, surveys
from agents_app.models import Task
from agents_app.services import errands, people
from campaigns.choices import FeedbackStatus, Sentiment
from campaigns.models import Feedback
from community.choices import MembershipStatus, RecordKind, RewardStatus
from community.models import Member, Reward
from contacts.choices import ContactStatus, ContactType, LeadSource
from contacts.models import Contact
from higherself.core.models import Record

_GONE = (MembershipStatus.INACTIVE, MembershipStatus.EXPIRED)
# From this worth on somebody looks when a reward is claimed, in the currency of the reward.
HIGH_VALUE = 100


def heed(edit: RecordEdited, context: Context) -> Outcome:
    done = _BY_MODEL[edit.model](edit, context)
    if not done:
        return Outcome(Result.NOTHING, f"Nothing follows from this edit of {edit.model.partition('.')[2]} {edit.pk}.")
    rows = [row for row in done if isinstance(row, Record)]
    return Outcome(Result.DONE, f"{'; '.join(str(part) for part in done)}.", tuple(Created.of(row) for row in rows))


Done = list[Record | str]


# -- contacts -------------------------------------------------------------------------------------------------------
def _contact(edit: RecordEdited, context: Context) -> Done:
    contact = Contact.objects.live().filter(pk=edit.pk).first()
    if contact is None:
        return []
    done: Done = []
    status = edit.became("status")
    if edit.became("email"):
        done += _moved_address(contact, str(edit.changed["email"][0] or ""))
    if status == ContactStatus.ACTIVE_CLIENT:
        done += _invite(contact, context)
    elif status == ContactStatus.INACTIVE:
        for member in _members(contact).filter(membership_status=MembershipStatus.ACTIVE):
            member.membership_status = MembershipStatus.INACTIVE
            member.save(update_fields=["membership_status"])
            done += [f"{member} is {member.membership_status}", *_follow(contact, member, context)]
    return done


def _members(contact: Contact) -> QuerySet[Member]:
    return Member.objects.live().filter(contact_profile=contact).order_by("pk")


def _moved_address(contact: Contact, before: str) -> Done:
    """The member is found by address: it moves along, unless another member has the new one."""
    taken = Member.objects.live().filter(member_email=contact.email)
    rows = _members(contact).filter(member_email=before.strip().lower())
    done: Done = []
    for member in rows if not taken.exists() else []:
        member.member_email = contact.email
        member.save(update_fields=["member_email"])
        done.append(f"{member} has the new address, too")
    return done


def _invite(contact: Contact, context: Context) -> Done:
    """A client of whom no flow takes care: somebody asks them into the community."""
    if not contact.email or _members(contact).exists() or Member.objects.live().filter(member_email=contact.email):
        return []
    member = Member.objects.create(
        member_name=str(contact),
        member_email=contact.email,
        contact_profile=contact,
        business_entity=contact.business_entities.order_by("pk").first(),
        membership_status=MembershipStatus.PENDING,
        join_date=None,
    )
    return [member, *_follow(contact, member, context)]


def _follow(contact: Contact, member: Member, context: Context) -> Done:
    moved = journey.follow(contact, member, context)
    rows: Done = list(moved.created)
    return rows or ([moved.text.removeprefix(", ")] if moved.text else [])


# -- members --------------------------------------------------------------------------------------------------------
def _member(edit: RecordEdited, context: Context) -> Done:
    member = Member.objects.live().select_for_update(of=("self",)).filter(pk=edit.pk).first()
    if member is None:
        return []
    if edit.is_new:
        contact = _profile(member, context)
        return _follow(contact, member, context) if contact else []
    status, contact = edit.became("membership_status"), member.contact_profile
    if status in _GONE and contact is not None:
        return [*_follow(contact, member, context), *_mark(contact, ContactStatus.ACTIVE_LEAD, ContactStatus.INACTIVE)]
    if status == MembershipStatus.ACTIVE and edit.changed["membership_status"][0] in _GONE:
        return _welcome_back(member, contact, edit, context)
    return []


def _profile(member: Member, context: Context) -> Contact | None:
    """The person behind a member that somebody has entered; made where there is none."""
    if member.contact_profile is not None or not member.member_email:
        return member.contact_profile
    contact, _ = people.remember(
        people.Person(
            email=member.member_email,
            source=LeadSource.OTHER,
            at=context.now,
            source_record_id=member.member_id,
            name=member.member_name,
            contact_type=ContactType.COMMUNITY_MEMBER,
            tags=[members.TAG],
            entities=[member.business_entity] if member.business_entity else [],
        )
    )
    member.contact_profile = contact
    member.save(update_fields=["contact_profile"])
    return contact


def _mark(contact: Contact, before: str, after: str) -> Done:
    """Who is nothing but a member is inactive without the membership; a client stays one."""
    if contact.contact_type != ContactType.COMMUNITY_MEMBER or contact.status != before:
        return []
    contact.status = after
    contact.save(update_fields=["status"])
    return [f"{contact} is {after}"]


def _welcome_back(member: Member, contact: Contact | None, edit: RecordEdited, context: Context) -> Done:
    task, _ = errands.errand(
        f"{member.member_id}:back:{edit.occasion}",
        f"Welcome back: {member}",
        "They are a member again. Say so, and ask what they would like to find.",
        context,
        entity=member.business_entity,
        contact=contact,
        tags=["Client-facing"],
    )
    marked = _mark(contact, ContactStatus.INACTIVE, ContactStatus.ACTIVE_LEAD) if contact else []
    return [task, *marked]


# -- feedback -------------------------------------------------------------------------------------------------------
def _feedback(edit: RecordEdited, context: Context) -> Done:
    row = Feedback.objects.live().filter(pk=edit.pk).first()
    if row is None:
        return []
    done: Done = []
    if edit.is_new or "rating" in edit.changed or "sentiment" in edit.changed:
        done += _look(row, context)
    if row.response.strip() and (edit.is_new or edit.became("response")):
        done += _answered(row)
    return done


def _look(row: Feedback, context: Context) -> Done:
    poor = row.sentiment == Sentiment.NEGATIVE
    poor = poor or (row.rating_of_five is not None and row.rating_of_five < surveys.GOOD_FROM)
    if not poor or row.response.strip() or row.action_items.exists():
        return []
    if not row.response_required:
        row.response_required = True
        row.save(update_fields=["response_required"])
    return [surveys.look(row, row.contact, context)]


def _answered(row: Feedback) -> Done:
    """A response was written: it is dated, and the task that asked for it is done."""
    wanted: dict[str, object] = {}
    if row.response_date is None:
        wanted["response_date"] = timezone.localdate()
    if row.status in (FeedbackStatus.NEW, FeedbackStatus.IN_REVIEW):
        wanted["status"] = FeedbackStatus.RESPONDED
    for name, value in wanted.items():
        setattr(row, name, value)
    if wanted:
        row.save(update_fields=wanted)
    tasks = list(Task.objects.filter(task_key=surveys.review_key(row), status__in=OPEN_TASK))
    for task in tasks:
        task.status = TaskStatus.DONE
        task.save(update_fields=["status"])
    return [f"{row.feedback_id} is {row.status}"] if wanted or tasks else []


# -- rewards --------------------------------------------------------------------------------------------------------
def _reward(edit: RecordEdited, context: Context) -> Done:
    row = Reward.objects.live().filter(pk=edit.pk).first()
    if row is None:
        return []
    if row.record_kind == RecordKind.PROGRAM:
        return _limited(row, edit, context)
    return _claimed(row, context) if edit.became("status") == RewardStatus.CLAIMED else []


def _limited(row: Reward, edit: RecordEdited, context: Context) -> Done:
    """A limited time without an end is no limit."""
    if row.status != RewardStatus.LIMITED_TIME or row.end_date is not None:
        key = f"{row.reward_id}:end:"
        waiting = Task.objects.filter(task_key__startswith=key, status__in=OPEN_TASK)
        return [f"{row} has an end"] if waiting.update(status=TaskStatus.CANCELLED) else []
    task, _ = errands.errand(
        f"{row.reward_id}:end:{edit.occasion}",
        f"Say until when: {row}",
        "The programme is “Limited Time” and has no End Date, so it never ends.",
        context,
        entity=row.business_entity,
    )
    return [task]


def _claimed(row: Reward, context: Context) -> Done:
    done: Done = []
    if row.claimed_date is None:
        row.claimed_date = timezone.localdate()
        row.save(update_fields=["claimed_date"])
        done.append(f"{row} was claimed on {row.claimed_date}")
    if (row.monetary_value or 0) >= HIGH_VALUE:
        task, new = errands.errand(
            f"{row.reward_id}:claimed",
            f"Look at the redemption: {row}",
            f"A reward worth {row.monetary_value} was claimed.",
            context,
            entity=row.business_entity,
            contact=row.recipient,
            priority="High",
            category="Financial",
            tags=["Financial"],
        )
        done += [task] if new else []
    return done


_BY_MODEL: dict[str, Callable[[RecordEdited, Context], Done]] = {
    "contacts.contact": _contact,
    "community.member": _member,
    "campaigns.feedback": _feedback,
    "community.reward": _reward,
}
