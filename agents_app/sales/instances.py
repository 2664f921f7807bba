"""The workflow instance of a booking or an order, and how it is moved on as far as what is known allows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from agents_app.agents.base import Context
from agents_app.models import WorkflowInstance
from agents_app.services import catalog, work
from agents_app.workflow import engine
from agents_app.workflow.machine import END_STATUSES, IllegalTransition
from bookings.models import Product
from contacts.models import BusinessEntity, Contact

# More steps than any definition has states: a definition that people have bent into a circle ends here.
STEPS = 20
AGENT = "BookingAgent"


@dataclass(frozen=True)
class Case:
    """One booking or order, and what its instance is to know about it.

    ``products`` are what it is about; they are written for a new instance, and for a known one when ``fresh``.
    ``next_event`` names the event that is due in a state; ``dates`` are the names in ``key_data`` whose change moves
    tasks and reminders, ``sticky`` those that stay true once they are.
    """

    workflow_id: str
    name: str
    record_id: str
    key_data: Mapping[str, Any]
    next_event: Callable[[str], str | None]
    contact: Contact | None = None
    entity: BusinessEntity | None = None
    products: Sequence[Product] = ()
    fresh: bool = False
    person: Mapping[str, str] = field(default_factory=dict)
    dates: tuple[str, ...] = ()
    sticky: tuple[str, ...] = ()
    note: str = ""


@dataclass
class Moved:
    """What became of an instance. ``changed``: something was written; ``fired`` are the events in their order."""

    instance: WorkflowInstance
    new: bool = False
    changed: bool = False
    fired: list[str] = field(default_factory=list)
    followed: engine.Followed = field(default_factory=engine.Followed)


def versions(workflow_id: str) -> list[int]:
    """All versions of a workflow: an instance stays on the one that it began with."""
    return [row.pk for row in catalog.current().workflows.values() if row.workflow_id == workflow_id]


def find(workflow_id: str, system: str, record_id: str) -> WorkflowInstance | None:
    """The instance of this record, locked until the transaction ends."""
    # The workflow is compared here, not there: SQLite would go through all of its instances by that index.
    rows = WorkflowInstance.objects.filter(source_record_id=record_id, source_system=system).order_by()
    wanted = set(versions(workflow_id))
    pks = [pk for pk, workflow in rows.values_list("pk", "workflow_id") if workflow in wanted]
    if not pks:
        return None
    # Only the instance is locked: the contact is by now, and PostgreSQL locks no row of an outer join.
    return WorkflowInstance.objects.select_for_update(of=("self",)).select_related("contact").get(pk=pks[0])


def carry_on(case: Case, context: Context) -> Moved:
    """Opens the instance when there is none, tells it what is known, and moves it as far as that allows."""
    instance = find(case.workflow_id, context.source, case.record_id)
    run = _open(case, context) if instance is None else _resume(instance, context)
    moved = Moved(run.instance, new=run.new)
    if run.new:
        run.begin(case.note, {"record": case.record_id})
    else:
        moved.changed = _tell(run, case, context.now)
    moved.fired = _advance(run, case)
    if not (run.new or moved.changed or moved.fired):
        return moved
    moved.changed = True
    moved.followed = run.save()
    if moved.new:
        # The instance has just been stored, and is marked for Notion: `set` would look, and mark it, once more.
        through = WorkflowInstance.products.through
        through.objects.bulk_create(
            through(workflowinstance_id=run.instance.pk, product_id=product.pk) for product in case.products
        )
    elif case.fresh and case.products:
        run.instance.products.add(*case.products)
    return moved


def _open(case: Case, context: Context) -> engine.Run:
    known = catalog.current()
    agent = known.agents.get(AGENT)
    return engine.open_run(
        known.workflow(case.workflow_id),
        name=case.name,
        actor=context.actor,
        source_system=context.source,
        source_record_id=case.record_id,
        contact=case.contact,
        business_entity=case.entity,
        key_data=case.key_data,
        inbound_event=context.event_id or None,
        now=context.now,
        assigned_agent=agent,
        **case.person,
    )


def _resume(instance: WorkflowInstance, context: Context) -> engine.Run:
    return engine.Run(instance, actor=context.actor, inbound_event=context.event_id or None, now=context.now)


def _tell(run: engine.Run, case: Case, now: datetime) -> bool:
    """Brings the key data up to date; what people or other steps have added to it stays."""
    instance = run.instance
    before = instance.key_data if isinstance(instance.key_data, dict) else {}
    after = {**before, **case.key_data, **{name: True for name in case.sticky if before.get(name) is True}}
    if after == before:
        return False
    instance.key_data = after
    if instance.status in END_STATUSES:
        run.revisit()
        return True
    moved = [name for name in case.dates if before.get(name) != after.get(name)]
    if moved:
        run.note("rescheduled", _dates(before, after, case.dates), {name: after.get(name) for name in moved})
        work.redate(instance, run.definition, engine.facts_of(instance), now)
        run.forget_past_timers()
    run.revisit()
    return True


def _dates(before: Mapping[str, Any], after: Mapping[str, Any], names: tuple[str, ...]) -> str:
    old, new = before.get(names[0]) or "no date", after.get(names[0]) or "no date"
    return f"Moved from {old} to {new}"


def _advance(run: engine.Run, case: Case) -> list[str]:
    fired: list[str] = []
    while len(fired) < STEPS and (event := case.next_event(run.instance.current_state)):
        try:
            run.fire(event, note=case.note)
        except IllegalTransition as refusal:
            # People have changed the definition: what it does not allow is written down and left.
            run.note("refused", str(refusal))
            break
        fired.append(event)
    return fired
