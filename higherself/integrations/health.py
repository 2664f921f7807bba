"""How the inbox and each provider are, in words."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.core.cache import cache
from django.db.models import Count, Max, Min
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from higherself.core import health
from higherself.core.health import DEGRADED, OK, Component
from higherself.integrations import silence
from higherself.integrations.models import InboundEvent, OutboundCall, ProviderGate, Pulse
from higherself.integrations.registry import PROVIDERS

# An event that is older than this should have been worked on: no worker runs, or it cannot keep up. Seconds.
LATE = 300
KEPT_SECONDS = 3
LATELY = timedelta(days=1)
HEARD_KEPT_SECONDS = 60


@health.component("inbox")
def inbox() -> Component:
    unfinished, needs_person = _counted()
    age = round((timezone.now() - unfinished["oldest"]).total_seconds()) if unfinished["oldest"] else 0
    facts = {"unprocessed": unfinished["number"], "oldest_unprocessed_seconds": age, "needs_person": needs_person}
    if not unfinished["number"]:
        return Component(OK, _("Every event is worked on; %s.") % _needs_person(needs_person), facts)
    words = ngettext(
        "%(n)s event waits, for %(age)s s; %(rest)s.",
        "%(n)s events wait, the oldest for %(age)s s; %(rest)s.",
        unfinished["number"],
    ) % {"n": f"{unfinished['number']:,}", "age": age, "rest": _needs_person(needs_person)}
    return Component(DEGRADED if age > LATE else OK, words, facts)


def _needs_person(number: int) -> str:
    if not number:
        return _("none needs a person")
    return ngettext("%s needs a person", "%s need a person", number) % f"{number:,}"


def _counted() -> tuple[dict[str, Any], int]:
    """What waits, and how many events need a person; kept for some seconds, since anybody may ask for the health."""
    found: tuple[dict[str, Any], int] | None = cache.get("integrations.inbox")
    if found is None:
        found = _count()
        cache.set("integrations.inbox", found, KEPT_SECONDS)
    return found


def _count() -> tuple[dict[str, Any], int]:
    unfinished = InboundEvent.objects.filter(next_attempt_at__isnull=False).aggregate(
        number=Count("pk"), oldest=Min("received_at")
    )
    return unfinished, InboundEvent.objects.filter(status=InboundEvent.Status.QUARANTINED).count()


@health.component("outbox")
def outbox() -> Component:
    """What waits to go out. Refused credentials and a backlog degrade it; what waits for a set-up does not."""
    facts = cache.get_or_set("integrations.outbox", _count_calls, KEPT_SECONDS) or {}
    if facts["credentials_refused"]:
        names = ", ".join(facts["credentials_refused"])
        return Component(DEGRADED, f"Credentials are refused by {names}: renew them.", facts)
    age = facts["oldest_due_seconds"]
    rest = _needs_person(facts["needs_person"])
    words = _("No call waits; %s.") % rest
    if facts["waiting"]:
        words = ngettext(
            "%(n)s call waits, due for %(age)s s; %(rest)s.",
            "%(n)s calls wait, the oldest is due for %(age)s s; %(rest)s.",
            facts["waiting"],
        ) % {"n": f"{facts['waiting']:,}", "age": age, "rest": rest}
    return Component(DEGRADED if age > LATE else OK, words, facts)


def _count_calls() -> dict[str, Any]:
    due = OutboundCall.objects.filter(next_attempt_at__isnull=False).aggregate(
        number=Count("pk"), oldest=Min("next_attempt_at")
    )
    age = (timezone.now() - due["oldest"]).total_seconds() if due["oldest"] else 0
    held = OutboundCall.objects.filter(status__in=["retrying", "unconfigured", "refused", "quarantined"])
    numbers = dict(held.order_by().values_list("status").annotate(Count("pk")))
    refused = ProviderGate.objects.exclude(refused_with="").values_list("provider", flat=True)
    return {
        "waiting": due["number"],
        "oldest_due_seconds": max(round(age), 0),
        "needs_person": numbers.get("quarantined", 0) + numbers.get("refused", 0),
        "unconfigured": numbers.get("unconfigured", 0),
        "credentials_refused": sorted(refused),
    }


@health.component("providers")
def providers() -> Component:
    """What each provider is: configured or not, when it was last heard, and what is called there. Who is quieter than
    they ever were degrades it: their webhooks may have been switched off."""
    quiet = {item.provider: item for item in silence.silent()}
    calls = cache.get_or_set("integrations.calls", _called, KEPT_SECONDS) or {}
    heard = cache.get_or_set("integrations.heard", _heard, HEARD_KEPT_SECONDS) or {}
    states: dict[str, Any] = {}
    for slug, provider in PROVIDERS.items():
        last = heard.get(slug)
        configured = provider.configured or not provider.takes_webhooks
        states[slug] = {
            "status": "configured" if configured else "not configured",
            "last_event": last.isoformat() if last else None,
            "silent": slug in quiet,
            **calls.get(slug, {}),
        }
    number = sum(state["status"] == "configured" for state in states.values())
    words = f"{number} of {len(states)} providers are configured."
    if not quiet:
        return Component(OK, words, {"providers": states})
    now = timezone.now()
    told = " ".join(item.sentence(now) for item in quiet.values())
    return Component(DEGRADED, f"{words} {told}", {"providers": states})


def _called() -> dict[str, dict[str, Any]]:
    """The requests of this month, and of how many, where the account limits them."""
    found: dict[str, dict[str, Any]] = {}
    month = timezone.now().strftime("%Y-%m")
    for slug, used in ProviderGate.objects.filter(month=month).values_list("provider", "requests"):
        provider = PROVIDERS.get(slug)
        limit = provider.monthly_limit if provider else 0
        found[slug] = {"requests_this_month": used} | ({"monthly_limit": limit} if limit else {})
    return found


def _heard() -> dict[str, datetime]:
    """When each provider was last heard: by the index of time where that was lately, else where its pulse says to look.

    Reading the whole inbox would take the longer the older the server is.
    """
    lately = InboundEvent.objects.filter(received_at__gte=timezone.now() - LATELY).order_by()
    found = dict(lately.values_list("provider").annotate(last=Max("received_at")))
    hours = dict(Pulse.objects.values_list("provider", "hours"))
    for slug in PROVIDERS.keys() - found.keys():
        end = silence.last_of(hours.get(slug, []))
        rows = InboundEvent.objects.filter(provider=slug)
        if end is None:
            last = rows.aggregate(last=Max("received_at"))["last"] if rows.exists() else None
        else:
            within = rows.filter(received_at__gte=end - timedelta(hours=1), received_at__lt=end)
            # Deliveries may have been cleared away since; the pulse remembers the hour.
            last = within.aggregate(last=Max("received_at"))["last"] or end
        if last is not None:
            found[slug] = last
    return found
