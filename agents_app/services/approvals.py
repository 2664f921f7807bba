"""Asking for a person's word: what is asked for waits as a row, and is done by itself once somebody allows it.

Only a person with the permission `DECIDE` decides, and never about what they asked for themselves; agents and tokens
have no account and so decide nothing. Who asks passes an action (``campaign.activate``) and what is needed to do it
later; who can do it registers with `carries_out`, under that action or under the name that stands in
``payload["do"]``.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from django.conf import settings
from django.db import models, transaction
from django.dispatch import Signal
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from agents_app.choices import ApprovalStatus
from agents_app.models import Approval, WorkflowInstance
from agents_app.services import catalog, messages
from agents_app.text import clean, one_line
from agents_app.workflow.machine import IllegalTransition
from higherself.core.errors import Conflict, Permanent

logger = logging.getLogger(__name__)

DECIDE = "agents_app.decide_approval"
# The template that tells the team about a request.
REQUESTED = "approval_requested"
TRANSITION, TASK, ARCHIVE = "transition", "task", "records.archive"

# What people read instead of an action's name.
LABELS: dict[str, str | Promise] = {
    "campaign.activate": gettext_lazy("Activate a campaign"),
    "content.publish": gettext_lazy("Publish content"),
    "order.refund": gettext_lazy("Refund an order"),
    "booking.refund": gettext_lazy("Refund a booking"),
    "reply.send": gettext_lazy("Send a reply"),
    "person.erase": gettext_lazy("Erase a person everywhere"),
    ARCHIVE: gettext_lazy("Archive many records"),
}

# What takes more than the permission to decide, and the password once more.
NEEDS = {"person.erase": "contacts.erase_contact"}

# Sent with ``approval`` inside the transaction of the decision, after what was allowed has been done.
decided = Signal()

# Does what was asked for and returns a sentence about it; raises `Permanent`, `Conflict` or `IllegalTransition` when
# it is no longer possible. Runs in the transaction of the decision.
Carrier = Callable[[Approval], str]
_carriers: dict[str, Carrier] = {}
_refusals: dict[str, Callable[[Approval], None]] = {}


def carries_out(name: str) -> Callable[[Carrier], Carrier]:
    """Registers what does the approved thing."""

    def register(carrier: Carrier) -> Carrier:
        _carriers[name] = carrier
        return carrier

    return register


def when_refused(name: str) -> Callable[[Callable[[Approval], None]], Callable[[Approval], None]]:
    """Registers what has to hear of a refusal."""

    def register(listener: Callable[[Approval], None]) -> Callable[[Approval], None]:
        _refusals[name] = listener
        return listener

    return register


def label(action: str) -> str:
    return str(LABELS.get(action, action))


# -- asking ---------------------------------------------------------------------------------------------------------
def draft(
    action: str,
    subject: models.Model | type[models.Model],
    *,
    requested_by: str,
    requester: Any = None,
    note: str = "",
    key: str = "",
    payload: Mapping[str, Any] | None = None,
) -> Approval:
    """A request that is not stored yet. ``key`` names its occasion; without one it is the action on this record."""
    pk = subject.pk if isinstance(subject, models.Model) else None
    name = subject._meta.label_lower
    return Approval(
        action=action,
        key=(key or f"{action}:{name}:{pk}")[:300],
        subject_model=name,
        subject_id=pk,
        subject_label=one_line(
            subject if isinstance(subject, models.Model) else subject._meta.verbose_name_plural, 500
        ),
        payload=dict(payload or {}),
        reason=clean(note),
        requested_by=one_line(requested_by, 200),
        # Only an account of ours: a token acts under its own name.
        requester_id=getattr(requester, "pk", None),
    )


def store(wanted: Approval, instance: WorkflowInstance | None = None) -> Approval:
    """Stores a draft, or returns the request for the same occasion that is pending already; tells the team."""
    earlier = pending(wanted.key)
    if earlier is not None:
        return earlier
    wanted.save(force_insert=True)
    template = catalog.current().templates.get(REQUESTED)
    if template is not None:
        occasion = messages.Occasion(wanted.approval_id, _values(wanted), instance=instance)
        messages.queue(messages.compose(template, "team", occasion), may_exist=False)
    return wanted


def request(
    action: str, subject: models.Model | type[models.Model], *, requested_by: str, note: str = "", **options: Any
) -> Approval:
    """Asks for something (options as for `draft`); asking again while it is pending returns the first request."""
    with transaction.atomic():
        return store(draft(action, subject, requested_by=requested_by, note=note, **options))


def pending(key: str) -> Approval | None:
    return Approval.objects.filter(key=key, status=ApprovalStatus.PENDING).first()


def _values(wanted: Approval) -> dict[str, Any]:
    return {
        "approval_id": wanted.approval_id,
        "approval_action": label(wanted.action),
        "approval_subject": wanted.subject_label,
        "approval_reason": wanted.reason or _("none given"),
        "requested_by": wanted.requested_by,
        "business_name": settings.DEFAULT_FROM_EMAIL.partition("<")[0].strip(),
    }


# -- deciding -------------------------------------------------------------------------------------------------------
def problem(approval: Approval, user: Any) -> str:
    """Why this person cannot decide about it; empty when they can."""
    if not (user.pk and user.is_active and user.has_perm(DECIDE)):
        return _("Deciding needs the permission “%(name)s”.") % {"name": DECIDE}
    needed = NEEDS.get(approval.action, "")
    if needed and not user.has_perm(needed):
        return _("Deciding about this needs the permission “%(name)s”.") % {"name": needed}
    if approval.requester_id == user.pk or approval.requested_by.casefold() in _names(user):
        return _("Nobody decides about what they asked for themselves: somebody else with the right has to.")
    return ""


def _names(user: Any) -> set[str]:
    """The names under which this person may have asked, here or in Notion."""
    own = {text.casefold() for text in (user.get_username(), user.get_full_name(), user.email) if text}
    return own | {f"notion ({name})" for name in own}


def approve(approval: Approval, user: Any, note: str = "") -> Approval:
    """Allows it, and has it done. What has become impossible meanwhile stands in ``outcome``.

    Raises `Permanent` when this person may not decide, `Conflict` when somebody has decided already.
    """
    with transaction.atomic():
        row = _decide(approval, user, ApprovalStatus.APPROVED, note)
        row.outcome = _carry_out(row)
        row.save(update_fields=["outcome"])
        decided.send(sender=Approval, approval=row)
    return row


def refuse(approval: Approval, user: Any, note: str = "") -> Approval:
    """Refuses it; whatever it concerns stays as it is. Raises as `approve` does."""
    with transaction.atomic():
        row = _decide(approval, user, ApprovalStatus.REFUSED, note)
        listener = _refusals.get(_doer(row))
        if listener is not None:
            listener(row)
        decided.send(sender=Approval, approval=row)
    return row


def withdraw(rows: models.QuerySet[Approval], reason: str) -> int:
    """Ends requests that have become pointless; returns how many were pending."""
    waiting = rows.filter(status=ApprovalStatus.PENDING)
    return waiting.update(status=ApprovalStatus.WITHDRAWN, outcome=reason, decided_at=timezone.now())


def _decide(approval: Approval, user: Any, status: str, note: str) -> Approval:
    row = Approval.objects.select_for_update(of=("self",)).get(pk=approval.pk)
    if not row.is_pending:
        text = _("%(id)s is %(status)s already (%(who)s).")
        raise Conflict(
            text % {"id": row.approval_id, "status": row.get_status_display(), "who": row.decided_by or row.outcome}
        )
    reason = problem(row, user)
    if reason:
        raise Permanent(reason)
    row.status, row.decided_at, row.decision_note = status, timezone.now(), clean(note)
    row.decider, row.decided_by = user, one_line(user.get_full_name() or user.get_username(), 200)
    row.save(update_fields=["status", "decided_at", "decision_note", "decider", "decided_by"])
    return row


def _doer(approval: Approval) -> str:
    stored = approval.payload if isinstance(approval.payload, dict) else {}
    return str(stored.get("do") or approval.action)


def _carry_out(approval: Approval) -> str:
    carrier = _carriers.get(_doer(approval))
    if carrier is None:
        return _("Approved; nothing here does it by itself.")
    try:
        with transaction.atomic():
            return carrier(approval)
    except (Permanent, Conflict, IllegalTransition) as error:
        logger.warning("%s was approved and could not be done: %s", approval.approval_id, error)
        return _("Approved, but not done: %(reason)s") % {"reason": error}
