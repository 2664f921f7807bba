"""Feedback that comes in ends the wait for it: the booking or order that it is about is complete."""

from __future__ import annotations

from django.db import transaction

from agents_app.models import WorkflowInstance
from agents_app.sales import bookings, orders
from agents_app.sales.instances import AGENT, versions
from agents_app.text import one_line
from agents_app.workflow import engine
from agents_app.workflow.machine import ACTIVE, IllegalTransition
from campaigns.models import Feedback

_WAITS = {
    bookings.WORKFLOW: ("follow_up", "feedback_collection"),
    orders.WORKFLOW: ("delivered", "follow_up"),
}


def heard(feedback: Feedback) -> WorkflowInstance | None:
    """The instance that this feedback has completed; None when nobody waits for it."""
    instance = _waiting(feedback)
    if instance is None:
        return None
    note = f"Feedback {feedback.feedback_id}: {one_line(feedback.feedback_title, 200)}"
    try:
        with transaction.atomic():
            engine.advance(
                instance, "feedback_received", actor=AGENT, note=note, data={"feedback": feedback.feedback_id}
            )
            instance.feedback.add(feedback)
    except IllegalTransition:
        # A definition of people's own knows no such event: the feedback stands for itself.
        return None
    return instance


def _waiting(feedback: Feedback) -> WorkflowInstance | None:
    """The contact's newest booking or order that waits, of the product that the feedback names if it names one."""
    if feedback.contact_id is None or feedback.is_archived:
        return None
    rows = WorkflowInstance.objects.live().filter(contact_id=feedback.contact_id, status=ACTIVE)
    if feedback.related_product_id is not None:
        rows = rows.filter(products=feedback.related_product_id)
    states = {(pk, state) for workflow, names in _WAITS.items() for pk in versions(workflow) for state in names}
    for instance in rows.order_by("-start_date", "-pk")[:50]:
        if (instance.workflow_id, instance.current_state) in states:
            return instance
    return None
