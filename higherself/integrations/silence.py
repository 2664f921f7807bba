"""Who has been quiet for longer than they usually are.

Providers send in bursts: a newsletter to hundreds once a week, a shop all day long. So what counts is not the delivery
but the hour: an hour in which something came. The gaps between such hours are a provider's pattern. What we fetched
ourselves does not count, for it comes whether their webhooks work or not.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from django.core.cache import cache
from django.utils import timezone as clock

from higherself.integrations.models import PULLED, InboundEvent, Pulse
from higherself.integrations.registry import PROVIDERS

# Hours that are remembered for each provider: some months for one who sends every day.
REMEMBERED = 500
# So many gaps are needed to speak of a pattern.
FEWEST_GAPS = 4
QUANTILE = 0.95
# Nobody is called silent before this, nor before one and a half times the gap that is long for them.
SHORTEST = timedelta(hours=24)
MARGIN = 1.5
# At the first look no further back than this.
FURTHEST = timedelta(days=120)
KEPT_SECONDS = 60
_HOUR = 3600
_CACHE = "integrations.silence"


@dataclass(frozen=True)
class Silence:
    """A provider that should have sent something. ``patience`` is how long it may be quiet by its own pattern."""

    provider: str
    label: str
    last: datetime
    patience: timedelta

    def sentence(self, now: datetime) -> str:
        quiet, usual = span(now - self.last), span(self.patience)
        return f"{self.label} has sent nothing for {quiet}; by its own pattern it is never quiet for more than {usual}."


def observe(now: datetime | None = None) -> int:
    """Notes in which hours each provider has sent since the last look; returns how many hours are new."""
    now = now or clock.now()
    pulses = {pulse.provider: pulse for pulse in Pulse.objects.all()}
    seen = min((pulse.seen_until for pulse in pulses.values()), default=now - FURTHEST)
    new = 0
    for provider, hours in _hours_since(seen).items():
        pulse = pulses.pop(provider, None) or Pulse(provider=provider)
        known = set(pulse.hours)
        new += len(hours - known)
        pulse.hours = sorted(known | hours)[-REMEMBERED:]
        # What committed late may carry an earlier time: the last hour is looked at again.
        pulse.seen_until = now - timedelta(hours=1)
        pulse.save()
    Pulse.objects.filter(provider__in=pulses).update(seen_until=now - timedelta(hours=1))
    cache.delete(_CACHE)
    return new


def _hours_since(moment: datetime) -> dict[str, set[int]]:
    found: dict[str, set[int]] = {}
    rows = InboundEvent.objects.filter(received_at__gte=moment).order_by()
    sent = rows.exclude(headers__has_key=PULLED).values_list("provider", "received_at")
    for provider, received in sent.iterator(chunk_size=5000):
        if provider in PROVIDERS:
            found.setdefault(provider, set()).add(int(received.timestamp()) // _HOUR)
    return found


def silent(now: datetime | None = None) -> list[Silence]:
    """Those that are quieter than they ever were, as far as they are configured; kept for a minute."""
    now = now or clock.now()
    found: list[Silence] | None = cache.get(_CACHE)
    if found is None:
        found = [item for pulse in Pulse.objects.order_by("provider") if (item := _pattern(pulse)) is not None]
        cache.set(_CACHE, found, KEPT_SECONDS)
    return [item for item in found if now - item.last > item.patience]


def _pattern(pulse: Pulse) -> Silence | None:
    """What is usual for a provider; None for one that is not configured, or has not sent often enough to tell."""
    provider = PROVIDERS.get(pulse.provider)
    if provider is None or not (provider.configured or not provider.takes_webhooks):
        return None
    patience = patience_of(pulse.hours)
    if patience is None:
        return None
    last = last_of(pulse.hours)
    assert last is not None
    return Silence(provider.slug, provider.label, last, patience)


def last_of(hours: Sequence[int]) -> datetime | None:
    """The end of the last hour in which something came."""
    return datetime.fromtimestamp((hours[-1] + 1) * _HOUR, timezone.utc) if hours else None


def patience_of(hours: Iterable[int]) -> timedelta | None:
    """How long the sender of these hours may be quiet; None where they are too few to tell."""
    ordered = sorted(set(hours))
    gaps = sorted(later - earlier for earlier, later in itertools.pairwise(ordered))
    if len(gaps) < FEWEST_GAPS:
        return None
    usual = gaps[min(math.ceil(QUANTILE * len(gaps)), len(gaps)) - 1]
    return max(SHORTEST, timedelta(hours=MARGIN * usual))


def span(length: timedelta) -> str:
    hours = length.total_seconds() / _HOUR
    return f"{hours:.0f} hours" if hours < 72 else f"{hours / 24:.1f} days"
