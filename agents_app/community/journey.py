"""The stay of one member as a workflow: opened with the first sign of them, moved by what they do and leave undone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from agents_app.agents.base import Context
from agents_app.choices import OPEN_TASK, SourceSystem, TaskStatus
from agents_app.models import Task, WorkflowInstance
from agents_app.services import catalog
from agents_app.workflow import effects, engine
from agents_app.workflow.machine import END_STATUSES
from agents_app.workflow.run import Run
from community.choices import MembershipStatus
from community.models import Member
from contacts.models import Contact
from higherself.core.models import Record

WORKFLOW = "WF-COMMUNITY"
CHAMPION_FROM, CHAMPION_UNTIL = 80, 60


@dataclass(frozen=True)
class Moved:
    """What became of the workflow, as the end of a sentence, and the new rows."""

    text: str = ""
    created: tuple[Record, ...] = ()


def of(contact: Contact) -> WorkflowInstance | None:
    """The newest stay of this person, ended or not."""
    rows = WorkflowInstance.objects.filter(contact=contact, archived_at__isnull=True, workflow__workflow_id=WORKFLOW)
    found = rows.order_by("-pk").values_list("pk", flat=True).first()
    return WorkflowInstance.objects.select_for_update().get(pk=found) if found else None


def follow(contact: Contact, member: Member, context: Context) -> Moved:
    """Opens a stay where none is open, and moves the open one to where what is known puts it."""
    instance = of(contact)
    gone = member.membership_status in (MembershipStatus.INACTIVE, MembershipStatus.EXPIRED)
    if instance is None or (_has_ended(instance) and not gone and _is_back(instance, member)):
        if gone and instance is None:
            return _open(contact, member, context, number=1, leaves=True)
        return _open(contact, member, context, number=_number(contact))
    if _has_ended(instance):
        return Moved()
    run = engine.Run(instance, actor=context.actor, inbound_event=context.event_id or None, now=context.now)
    told = _facts(run, member)
    event = _event(run, member, gone)
    if event:
        run.fire(event)
    elif not told:
        return Moved()
    followed = run.save()
    if told and not engine.facts_of(instance).get("invited"):
        _withdraw_invitation(instance)
    text = f", {instance.instance_id} went to “{instance.current_state}”" if event else ""
    return Moved(text, tuple(followed.tasks))


def _has_ended(instance: WorkflowInstance) -> bool:
    return instance.status in END_STATUSES


def _is_back(instance: WorkflowInstance, member: Member) -> bool:
    """Whether they did something after that stay had ended."""
    last, ended = member.last_active_date, instance.end_date
    return last is not None and (ended is None or last > ended)


def _number(contact: Contact) -> int:
    stays = WorkflowInstance.objects.filter(contact=contact, workflow__workflow_id=WORKFLOW)
    return stays.count() + 1


def _open(contact: Contact, member: Member, context: Context, *, number: int, leaves: bool = False) -> Moved:
    known = catalog.current()
    run = engine.open_run(
        known.workflow(WORKFLOW),
        name=f"Community: {contact}",
        actor=context.actor,
        source_system=SourceSystem.CIRCLE,
        source_record_id=member.member_id if number == 1 else f"{member.member_id}#{number}",
        contact=contact,
        business_entity=member.business_entity,
        key_data={"source": "Circle.so", "level": member.membership_level},
        inbound_event=context.event_id or None,
        now=context.now,
        assigned_agent=known.agents.get(context.actor),
    )
    run.instance.key_data["invited"] = member.membership_status == MembershipStatus.PENDING
    _facts(run, member)
    run.begin("" if number == 1 else "Back in the community")
    if leaves:
        run.fire("member_removed")
    followed = run.save()
    return Moved(f", {run.instance.instance_id} opened", (run.instance, *followed.tasks))


def _facts(run: Run, member: Member) -> bool:
    """What timers and conditions ask about; whole days, so that a busy member is not a write for each click."""
    last = member.last_active_date or member.join_date
    facts: dict[str, object] = {"engagement_score": member.engagement_score}
    if last is not None:
        # Idle from the day after the last activity.
        facts["idle_since"] = (last + timedelta(days=1)).date().isoformat()
    known = run.instance.key_data if isinstance(run.instance.key_data, dict) else {}
    if known.get("invited") and member.membership_status == MembershipStatus.ACTIVE:
        # They have come: from now on they are welcomed like anybody else.
        facts["invited"] = False
        run.revisit()
    if all(known.get(name) == value for name, value in facts.items()):
        return False
    run.instance.key_data = {**known, **facts}
    return True


def _event(run: Run, member: Member, gone: bool) -> str:
    """The event that fits what is known now; empty when the member stays where they are."""
    instance = run.instance
    if gone:
        return "member_removed"
    possible = {item.event for item in run.definition.allowed(instance.current_state, engine.facts_of(instance))}
    last, since = member.last_active_date, instance.last_transition_date
    if "activity" in possible and last is not None and (since is None or last > since):
        return "activity"
    if "champion" in possible and member.engagement_score >= CHAMPION_FROM:
        return "champion"
    if "score_fell" in possible and member.engagement_score < CHAMPION_UNTIL:
        return "score_fell"
    return ""


def _withdraw_invitation(instance: WorkflowInstance) -> None:
    """Nobody has to ask whoever is there."""
    key = f"{instance.instance_id}:invite_member:"
    Task.objects.filter(task_key__startswith=key, status__in=OPEN_TASK).update(status=TaskStatus.CANCELLED)


@effects.after(WORKFLOW)
def _membership(run: Run, entered: Sequence[str]) -> None:
    """Whoever has left or fallen silent for good is no active member, whoever said so."""
    if entered and entered[-1] in ("left", "lapsed") and run.instance.contact_id:
        for member in Member.objects.live().filter(
            contact_profile_id=run.instance.contact_id, membership_status=MembershipStatus.ACTIVE
        ):
            member.membership_status = MembershipStatus.INACTIVE
            member.save(update_fields=["membership_status"])
