"""The outbox: effects at providers that a transaction wants. `relay` carries them out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.db import models, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from pydantic import BaseModel, ValidationError

from higherself.core import jobs
from higherself.core.errors import Permanent
from higherself.integrations import gate, registry
from higherself.integrations.client import Operation
from higherself.integrations.intake import short_key
from higherself.integrations.models import OutboundCall, ProviderGate

JOB = "relay_outbox"
# How long a call waits for its provider to be configured.
VALID = timedelta(days=30)
Status = OutboundCall.Status
_UNSENT = (Status.UNCONFIGURED, Status.REFUSED, Status.QUARANTINED, Status.CANCELLED, Status.EXPIRED)
_CANCELLABLE = (Status.WAITING, Status.RETRYING, Status.UNCONFIGURED, Status.REFUSED, Status.QUARANTINED)


def is_configured(provider: str) -> bool:
    """Whether calls to this provider can be made. Reads settings only."""
    found = registry.PROVIDERS.get(provider)
    return found is not None and found.can_call


def operation_of(provider: str, name: str) -> Operation:
    """Raises `Permanent` where there is no such operation."""
    found = registry.PROVIDERS.get(provider)
    client = found.client_class if found else None
    if client is None or name not in client.operations:
        raise Permanent(f"No provider {provider!r} with an operation {name!r} is known to this version.")
    return client.operations[name]


def enqueue(
    provider: str,
    operation: str,
    payload: Mapping[str, Any],
    *,
    dedupe_key: str,
    about: models.Model | None = None,
    valid: timedelta = VALID,
    delay: timedelta = timedelta(0),
) -> OutboundCall:
    """Wants an effect at a provider, in the caller's transaction: kept if that commits, else forgotten.

    The same ``dedupe_key`` again changes nothing and returns the first call. Where the provider is not configured, the
    call waits visibly for ``valid``, and is sent once it is. ``about`` is the record of ours that it serves;
    ``delay`` lets things settle there before the call is made. Raises `Permanent` for an unknown operation, or a
    payload that its model does not take.
    """
    declared = operation_of(provider, operation)
    content = _content(declared, payload, provider)
    key = short_key(dedupe_key)
    now = timezone.now()
    can_call = is_configured(provider)
    row = OutboundCall(
        provider=provider,
        operation=operation,
        payload=content.model_dump(mode="json", exclude_unset=True),
        dedupe_key=key,
        record=short_key(declared.record(content)),
        about_model=about._meta.label_lower if about is not None else "",
        about_id=str(about.pk) if about is not None else "",
        status=Status.WAITING if can_call else Status.UNCONFIGURED,
        next_attempt_at=now + delay if can_call else None,
        error="" if can_call else unconfigured(provider),
        created_at=now,
        valid_until=now + valid,
    )
    OutboundCall.objects.bulk_create([row], ignore_conflicts=True)
    if can_call and delay:
        jobs.wake_in(JOB, delay.total_seconds())
    elif can_call:
        jobs.wake(JOB)
    return OutboundCall.objects.get(dedupe_key=key)


def _content(declared: Operation, payload: Mapping[str, Any], provider: str) -> BaseModel:
    try:
        return declared.payload.model_validate(payload)
    except ValidationError as error:
        places = "; ".join(f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors()[:10])
        raise Permanent(f"{provider} {declared.name} does not take this content: {places}") from error


def unconfigured(provider: str) -> str:
    found = registry.PROVIDERS[provider]
    return f"{found.label} is not configured: set {', '.join(found.missing)}. The call is sent then."


def settle() -> int:
    """Calls whose obstacle is gone are due again; those that have waited too long expire. Returns how many changed."""
    now = timezone.now()
    held = OutboundCall.objects.filter(status__in=[Status.UNCONFIGURED, Status.REFUSED])
    late = held.filter(status=Status.UNCONFIGURED, valid_until__lt=now)
    words = "The provider was not configured in time; nothing was sent."
    changed = _end(late, status=Status.EXPIRED, finished_at=now, error=words)
    for provider in held.order_by().values_list("provider", flat=True).distinct():
        if is_configured(provider):
            free = Q(status=Status.UNCONFIGURED)
            if not _still_refused(provider):
                free |= Q(status=Status.REFUSED)
            changed += held.filter(free, provider=provider).update(status=Status.WAITING, next_attempt_at=now, error="")
    return changed


def _still_refused(provider: str) -> bool:
    row = ProviderGate.objects.filter(provider=provider).first()
    return row is not None and gate.is_refused(row, registry.PROVIDERS[provider].fingerprint)


def replay(calls: QuerySet[OutboundCall], who: str) -> int:
    """Has calls that were not carried out sent again; returns how many. Done and running ones are left alone."""
    now = timezone.now()
    with transaction.atomic():
        rows = calls.filter(status__in=[*_UNSENT, Status.RETRYING]).exclude(_forgotten())
        providers = set(rows.order_by().values_list("provider", flat=True))
        count = rows.update(
            status=Status.WAITING, attempts=0, error="", worker="", next_attempt_at=now, finished_at=None,
            valid_until=now + VALID, decided_by=who[:150],
        )  # fmt: skip
        for provider in providers:
            gate.reopen(provider)
        if count:
            jobs.wake(JOB)
    return count


def cancel(calls: QuerySet[OutboundCall], who: str) -> int:
    """Gives up calls that are not done; returns how many. One that is being sent right now is left alone."""
    return _end(
        calls.filter(status__in=_CANCELLABLE),
        status=Status.CANCELLED,
        next_attempt_at=None,
        finished_at=timezone.now(),
        worker="",
        decided_by=who[:150],
    )


# -- what must not be kept ------------------------------------------------------------------------------------------
def forgets(call: OutboundCall) -> bool:
    """Whether the call's content is about somebody of whom nothing may be kept: shown to nobody, gone once it ends."""
    found = registry.PROVIDERS.get(call.provider)
    declared = found.client_class.operations.get(call.operation) if found and found.client_class else None
    return declared is not None and declared.forgets


def _forgetting() -> Q:
    """The calls of all operations that forget."""
    names = {
        (slug, name)
        for slug, provider in registry.PROVIDERS.items()
        if provider.client_class is not None
        for name, declared in provider.client_class.operations.items()
        if declared.forgets
    }
    found = Q(pk__in=[])
    for slug, name in sorted(names):
        found |= Q(provider=slug, operation=name)
    return found


def _forgotten() -> Q:
    """Those of them that have ended unsent: nobody knows any more whom they were about."""
    return _forgetting() & Q(status__in=[Status.CANCELLED, Status.EXPIRED])


def _end(calls: QuerySet[OutboundCall], **values: Any) -> int:
    """Ends calls without sending them. The content of those that forget goes with it."""
    with transaction.atomic():
        secret = list(calls.filter(_forgetting()).select_for_update().values_list("pk", flat=True))
        done = calls.filter(pk__in=secret).update(payload={}, record="", **values) if secret else 0
        return done + calls.exclude(pk__in=secret).update(**values)
