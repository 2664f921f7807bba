"""Each provider on one page: whether it is configured and what is lacking, what to enter there, what it has sent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.db.models import Count, Max
from django.db.models.functions import TruncDate
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from higherself.core.admin import cells, shown, staff_page
from higherself.core.adminsite.charts import Days, bars, filled
from higherself.integrations.admin import refused
from higherself.integrations.admin.variables import variable
from higherself.integrations.base import Provider, SharedSecretProvider
from higherself.integrations.models import InboundEvent
from higherself.integrations.registry import PROVIDERS

DAYS = 14
# Counting every event of two weeks is dear, and nobody needs it fresher. Seconds.
KEPT_SECONDS = 60
_NOT_SHOWN = {"base_url"}


@dataclass(frozen=True)
class Variable:
    """One entry of the environment: its name, and whether it has a value; never the value."""

    name: str
    is_set: bool


@dataclass(frozen=True)
class Tested:
    """What the catalogue knows of a service's last test, and where another one is asked for (empty: it cannot be)."""

    result: Any
    when: Any
    url: str


_catalogue: list[Callable[[], dict[str, Tested]]] = []


def catalogue(maker: Callable[[], dict[str, Tested]]) -> Callable[[], dict[str, Tested]]:
    """Registers the function that tells, by slug, of the last tests; the catalogue lives in an upper layer."""
    _catalogue.append(maker)
    return maker


@dataclass(frozen=True)
class Line:
    """One provider as the page shows it."""

    provider: Provider
    url: str
    variables: list[Variable]
    last: datetime | None
    days: Days
    tested: Tested | None = None
    refused: refused.Refusals | None = None

    @property
    def chip(self) -> Any:
        if not self.provider.takes_webhooks:
            return cells.chip(_("public form"), "good")
        if self.provider.configured:
            return cells.chip(_("configured"), "good")
        return cells.chip(_("not configured"), "warn")

    @property
    def proof(self) -> str:
        if not self.provider.takes_webhooks:
            return _("None: everybody may submit, with a limit per address.")
        if self.provider.signs:
            return _("It signs its deliveries; the signature is checked over the raw bytes.")
        return _("By the header X-Webhook-Secret, or the same secret at the end of the address.")

    @property
    def remark(self) -> str:
        """Why it counts as configured without a secret of its own."""
        if (
            self.provider.configured
            and not self.provider.options.get("webhook_secret")
            and self.provider.takes_webhooks
        ):
            return _("It has no secret of its own: the shared WEBHOOK_SECRET opens it. Give it its own in production.")
        return self.provider.unread

    @property
    def number(self) -> int:
        return int(sum(number for _day, number in self.days))

    @property
    def svg(self) -> Any:
        text = _("%(label)s: %(number)d events in %(days)d days")
        return bars(self.days, text % {"label": self.provider.label, "number": self.number, "days": len(self.days)})

    @property
    def when(self) -> Any:
        return cells.moment(self.last) if self.last else _("never")

    @property
    def events_url(self) -> str:
        return cells.list_url(InboundEvent, f"provider={self.provider.slug}")


@staff_page("integrations/providers/", name="integrations", permission="integrations.view_inboundevent")
def overview(request: HttpRequest) -> HttpResponse:
    base = (settings.PUBLIC_URL or f"{request.scheme}://{request.get_host()}").rstrip("/")
    last, days = _seen()
    tested = {slug: item for maker in _catalogue for slug, item in maker().items()}
    shut = refused.lately(timezone.now() - timedelta(days=DAYS))
    lines = [
        Line(
            provider,
            base + _path(provider),
            _variables(provider),
            last.get(slug),
            filled({**days.get(slug, {})}, DAYS),
            tested.get(slug),
            shut.get(slug),
        )
        for slug, provider in PROVIDERS.items()
    ]
    ready = sum(line.provider.configured or not line.provider.takes_webhooks for line in lines)
    context = {
        "lines": sorted(lines, key=lambda line: not (line.provider.configured or not line.provider.takes_webhooks)),
        "ready": ready,
        "days": DAYS,
        "astray": shut.get(""),
        "is_local": not settings.PUBLIC_URL,
        "here": request.path,
    }
    return shown(request, "console/pages/integrations.html", _("Integrations"), context)


def _path(provider: Provider) -> str:
    if not provider.takes_webhooks:
        return "/api/forms/submit"
    return f"/webhooks/{provider.slug}" + ("/<secret>" if isinstance(provider, SharedSecretProvider) else "")


def _variables(provider: Provider) -> list[Variable]:
    return [
        Variable(variable(provider, name), bool(value))
        for name, value in provider.options.items()
        if name not in _NOT_SHOWN
    ]


def _seen() -> tuple[dict[str, datetime], dict[str, dict[date, int]]]:
    """When each provider was last heard, and how often on each of the last days; by the index of time."""
    found: tuple[dict[str, datetime], dict[str, dict[date, int]]] | None = cache.get("console.providers")
    if found is None:
        start = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
        lately = InboundEvent.objects.filter(received_at__gte=start - timedelta(days=DAYS - 1)).order_by()
        days: dict[str, dict[date, int]] = {}
        last: dict[str, datetime] = {}
        rows = lately.values_list("provider", TruncDate("received_at")).annotate(Count("pk"), Max("received_at"))
        for provider, day, number, newest in rows:
            days.setdefault(provider, {})[day] = number
            last[provider] = max(newest, last.get(provider, newest))
        for provider in set(PROVIDERS) - set(last):
            older = InboundEvent.objects.filter(provider=provider).aggregate(newest=Max("received_at"))["newest"]
            last |= {provider: older} if older else {}
        found = (last, days)
        cache.set("console.providers", found, KEPT_SECONDS)
    return found
