"""Whether a provider may be asked now: pace, pauses that it asked for, outages, refused credentials.

One row for each provider, changed by compare-and-set, so that all processes and machines keep one pace together.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import datetime, timedelta

from django.db.models import F, Q
from django.utils import timezone

from higherself.core.errors import Retryable
from higherself.integrations.delivery import db_text
from higherself.integrations.models import ProviderGate

# After so many failures in a row the provider is left alone, for longer each time. Seconds.
FAILURES_TO_CLOSE = 4
FIRST_REST, LONGEST_REST = 5.0, 300.0
# Credentials that were refused are tried again after this, in case the provider was wrong.
REFUSED_REST = timedelta(minutes=15)
ANSWER_NOTED_EVERY = timedelta(minutes=1)


class NotNow(Retryable):
    """The gate is closed: no request was sent."""


def take(provider: str, *, interval: float, patience: float, monthly_limit: int = 0) -> None:
    """Takes the next turn and waits for it. Raises `NotNow` when that takes longer than ``patience`` seconds.

    ``interval`` is the time between two requests; ``monthly_limit`` how many the account allows a month (0: any).
    """
    while True:
        row = ProviderGate.objects.get_or_create(provider=provider)[0]
        now, moment = time.time(), timezone.now()
        month = moment.strftime("%Y-%m")
        used = row.requests if row.month == month else 0
        _check(row, moment, used, monthly_limit)
        start = max(row.next_at, now)
        if start - now > patience:
            raise NotNow(f"{provider} is asked as fast as it allows; this waits its turn.", retry_after=start - now)
        same = ProviderGate.objects.filter(provider=provider, month=row.month, requests=row.requests)
        if same.update(next_at=start + interval, month=month, requests=used + 1):
            if start > now:
                time.sleep(start - now)
            return


def used_this_month(provider: str) -> int:
    """How many requests were sent to the provider in this month (UTC)."""
    month = timezone.now().strftime("%Y-%m")
    return ProviderGate.objects.filter(provider=provider, month=month).values_list("requests", flat=True).first() or 0


def _check(row: ProviderGate, now: datetime, used: int, monthly_limit: int) -> None:
    if row.paused_until and row.paused_until > now:
        left = (row.paused_until - now).total_seconds()
        raise NotNow(f"{row.provider} is left alone for another {left:.0f} s. {row.reason}", retry_after=left)
    if monthly_limit and used >= monthly_limit:
        raise NotNow(
            f"The {monthly_limit} requests that {row.provider} allows a month are used up.",
            retry_after=min(_until_next_month(now), 6 * 3600.0),
        )


def _until_next_month(now: datetime) -> float:
    first = (now.replace(day=1) + timedelta(days=32)).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return (first - now).total_seconds()


def answered(provider: str) -> None:
    """The provider works and lets us in."""
    now = timezone.now()
    news = Q(failures__gt=0) | ~Q(refused_with="") | Q(last_answer_at__isnull=True)
    news |= Q(last_answer_at__lt=now - ANSWER_NOTED_EVERY)
    rows = ProviderGate.objects.filter(news, provider=provider)
    rows.update(failures=0, refused_with="", refused_at=None, reason="", paused_until=None, last_answer_at=now)


def pause(provider: str, seconds: float, reason: str) -> None:
    """The provider asked to be left alone: everybody obeys."""
    until = timezone.now() + timedelta(seconds=seconds)
    ProviderGate.objects.get_or_create(provider=provider)
    shorter = Q(paused_until__isnull=True) | Q(paused_until__lt=until)
    ProviderGate.objects.filter(shorter, provider=provider).update(paused_until=until, reason=_short(reason))


def failed(provider: str, reason: str, seconds: float | None = None) -> None:
    """The provider could not be reached, or failed; enough of these in a row, and it is left alone for a while."""
    row = ProviderGate.objects.get_or_create(provider=provider)[0]
    ProviderGate.objects.filter(provider=provider).update(failures=F("failures") + 1, reason=_short(reason))
    rest = seconds or 0.0
    if row.failures + 1 >= FAILURES_TO_CLOSE:
        rest = max(rest, min(FIRST_REST * 2 ** (row.failures + 1 - FAILURES_TO_CLOSE), LONGEST_REST))
    if rest:
        pause(provider, rest, reason)


def refused(provider: str, fingerprint: str, reason: str) -> None:
    """The provider does not know our credentials: nothing is sent until there are others, or a while has passed."""
    ProviderGate.objects.update_or_create(
        provider=provider,
        defaults={"refused_with": fingerprint, "refused_at": timezone.now(), "reason": _short(reason)},
    )


def reopen(provider: str) -> None:
    """A person says that the reason is gone."""
    rows = ProviderGate.objects.filter(provider=provider)
    rows.update(failures=0, refused_with="", refused_at=None, reason="", paused_until=None)


def closed(fingerprints: Mapping[str, str]) -> set[str]:
    """The providers that are not to be asked now; ``fingerprints`` are those of their present credentials."""
    now = timezone.now()
    found = set()
    for row in ProviderGate.objects.all():
        paused = row.paused_until is not None and row.paused_until > now
        if paused or (is_refused(row, fingerprints.get(row.provider, "")) and _fresh(row, now)):
            found.add(row.provider)
    return found


def is_refused(row: ProviderGate, fingerprint: str) -> bool:
    return bool(row.refused_with) and row.refused_with == fingerprint


def _fresh(row: ProviderGate, now: datetime) -> bool:
    return row.refused_at is not None and now - row.refused_at < REFUSED_REST


def _short(reason: str) -> str:
    return db_text(reason)[:1000]
