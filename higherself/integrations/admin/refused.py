"""What was refused at the door, in the console: how often, from where, why, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib import admin
from django.contrib.admin import display
from django.db.models import Max, Sum
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from higherself.core.admin import Matter, ReadOnlyAdmin, cells, matters
from higherself.integrations.admin.variables import secret_variables
from higherself.integrations.admin.working import ProviderFilter, Since
from higherself.integrations.base import Provider, SharedSecretProvider
from higherself.integrations.models import PULLED, InboundEvent, RefusedDelivery
from higherself.integrations.registry import PROVIDERS

Reason = RefusedDelivery.Reason
_NOT_GENUINE = (Reason.NO_PROOF, Reason.STALE, Reason.WRONG_PROOF)
# How far back home looks for a provider none of whose deliveries is let in, and how many make it a matter: a stray
# caller knocks once or twice, a provider repeats.
RECENT = timedelta(days=1)
ENOUGH = 3
_TONES = {
    Reason.WRONG_PROOF: "bad",
    Reason.STALE: "bad",
    Reason.NO_PROOF: "warn",
    Reason.NOT_CONFIGURED: "warn",
    Reason.NOT_STORED: "bad",
}


def remedy(slug: str, reason: str) -> str:
    """What to do about it, in words; ``slug`` is empty where the address names no provider."""
    provider = PROVIDERS.get(slug)
    if provider is None:
        return _(
            "Compare the address with those on the page Integrations: it ends in no provider's name. Where nobody of"
            " yours calls it, nothing is to be done."
        )
    words = {
        "label": provider.label,
        "variables": _or(secret_variables(provider)),
        "limit": "WEBHOOK_THROTTLE" if provider.takes_webhooks else "FORM_THROTTLE",
    }
    return _remedies(provider).get(reason, "") % words


def _remedies(provider: Provider) -> dict[str, str]:
    shared = isinstance(provider, SharedSecretProvider)
    return {
        Reason.NO_PROOF: _(
            "%(label)s has to send the secret of %(variables)s in the header X-Webhook-Secret, or at the end of the"
            " address. A single one from an unknown address is a stray caller: nothing is to be done."
        )
        if shared
        else _(
            "%(label)s signs only where a secret is entered in its webhook's settings: enter the value of"
            " %(variables)s there. A single one from an unknown address is a stray caller: nothing is to be done."
        ),
        Reason.WRONG_PROOF: _(
            "The secret or signature is not of ours: compare %(variables)s with what is entered in the webhook's"
            " settings at %(label)s. After a change the server has to be started anew."
        )
        if shared
        else _wrong_signature(provider),
        Reason.STALE: _(
            "Compare this server's clock: the signature names a time more than five minutes from ours. Where it is"
            " right, something between %(label)s and here holds deliveries back, or sends old ones again."
        ),
        Reason.UNREADABLE: _(
            "Where it is %(label)s that sends it, look whether a proxy in front changes or cuts the bodies: it was no"
            " valid JSON or form."
        ),
        Reason.TOO_LARGE: _("Let %(label)s send less, fewer fields or no files: it was larger than this server takes."),
        Reason.FLOOD: _(
            "Where all of it is wanted, raise %(limit)s: one address sent more in a short time than it allows."
            " Providers send again by themselves, visitors of the website do not."
        ),
        Reason.NOT_CONFIGURED: _(
            "%(label)s sends here, but this server has no secret to check it by: set %(variables)s, and enter the same"
            " at %(label)s."
        ),
        Reason.NOT_STORED: _(
            "Look whether what came then is here: the database could not take it at first, and most senders send"
            " again. What is missing is fetched with manage.py backfill, where %(label)s can be asked."
        ),
    }


def _wrong_signature(provider: Provider) -> str:
    text = _(
        "The signature is not of our secret: compare %(variables)s with the secret in the webhook's settings at"
        " %(label)s. After a change the server has to be started anew."
    )
    if provider.slug == "hubspot":
        text += " " + _("HubSpot signs the address, too: PUBLIC_URL must be the one that it calls.")
    if provider.offers("register_webhooks"):
        text += " " + _("Webhooks that this server has made itself: run manage.py register_webhooks again.")
    return text


def _or(names: list[str]) -> str:
    return _(" or ").join(names)


def name_of(slug: str) -> str:
    return PROVIDERS[slug].label if slug in PROVIDERS else slug or _("none of ours")


@admin.register(RefusedDelivery)
class RefusedDeliveryAdmin(ReadOnlyAdmin):
    """Counts, not deliveries: what cannot be proved is not stored."""

    list_display = ("last", "provider_name", "why", "how_often", "sender", "in_short")
    list_display_links = ("last",)
    list_filter = (ProviderFilter, "reason", Since.of("last_at", gettext_lazy("refused")))
    search_fields = ("=address", "agent", "detail")
    ordering = ("-last_at",)
    fieldsets = [
        (None, {"fields": [("provider_name", "why"), "what_to_do"]}),
        (gettext_lazy("How often"), {"fields": ["number", ("first_at", "last_at")]}),
        (gettext_lazy("The last of them"), {"fields": ["sender", "agent", "detail"]}),
    ]
    last = cells.when("last_at", gettext_lazy("last"))

    @display(description=gettext_lazy("provider"), ordering="provider")
    def provider_name(self, obj: RefusedDelivery) -> str:
        return name_of(obj.provider)

    @display(description=gettext_lazy("why"), ordering="reason")
    def why(self, obj: RefusedDelivery) -> Any:
        return chip(obj.reason)

    @display(description=gettext_lazy("sender's address"), ordering="address")
    def sender(self, obj: RefusedDelivery) -> str:
        return obj.address or _("many different ones")

    @display(description=gettext_lazy("how often"), ordering="number")
    def how_often(self, obj: RefusedDelivery) -> str:
        return f"{obj.number:,}"

    @display(description=gettext_lazy("what to do"))
    def in_short(self, obj: RefusedDelivery) -> Any:
        """Its first sentence; the record has all of it."""
        return cells.advice(remedy(obj.provider, obj.reason).partition(". ")[0].rstrip(".") + ".")

    @display(description=gettext_lazy("what to do"))
    def what_to_do(self, obj: RefusedDelivery) -> str:
        return remedy(obj.provider, obj.reason)


def chip(reason: str) -> Any:
    return cells.chip(dict(Reason.choices).get(reason, reason), _TONES.get(Reason(reason), "calm"))


@dataclass(frozen=True)
class Refusals:
    """What one provider was refused lately: how often, and why the last time."""

    provider: str
    number: int
    reason: str
    last: datetime

    @property
    def chip(self) -> Any:
        return chip(self.reason)

    @property
    def when(self) -> Any:
        return cells.moment(self.last)

    @property
    def remedy(self) -> str:
        return remedy(self.provider, self.reason)

    @property
    def url(self) -> str:
        return cells.list_url(RefusedDelivery, _query(self.provider))


def lately(since: datetime) -> dict[str, Refusals]:
    """By provider, in one query over at most a few hundred rows an hour."""
    rows = RefusedDelivery.objects.filter(last_at__gte=since).order_by()
    found: dict[str, Refusals] = {}
    for provider, reason, number, last in rows.values_list("provider", "reason").annotate(
        Sum("number"), Max("last_at")
    ):
        one = found.get(provider, Refusals(provider, 0, reason, last))
        newest = max((one.last, one.reason), (last, reason))
        found[provider] = Refusals(provider, one.number + number, newest[1], newest[0])
    return found


def _query(slug: str) -> str:
    return f"provider={slug}" if slug else f"reason__exact={Reason.UNKNOWN.value}"


@matters
def shut_out() -> list[Matter]:
    """Providers that are configured and none of whose deliveries is let in: a secret that differs, most likely."""
    found = {slug: number for slug, rows in _not_genuine().items() if (number := _since_the_last(slug, rows)) >= ENOUGH}
    if not found:
        return []
    number = sum(found.values())
    text = ngettext("delivery of %(names)s was refused", "deliveries of %(names)s were refused", number)
    return [
        Matter(
            "refused",
            text % {"names": ", ".join(sorted(map(name_of, found)))},
            number,
            cells.list_url(RefusedDelivery, _query(next(iter(found))) if len(found) == 1 else ""),
            "bad",
            _("None was let in since: its secret differs from ours, most likely. The list says what to do."),
            icon="front_hand",
            permission="integrations.view_refuseddelivery",
        )
    ]


def _not_genuine() -> dict[str, list[tuple[datetime, int]]]:
    """When refusals of each configured provider's deliveries began, and how many they were: a row an hour and
    address."""
    since = timezone.now() - RECENT
    rows = RefusedDelivery.objects.filter(last_at__gte=since, reason__in=_NOT_GENUINE).order_by()
    found: dict[str, list[tuple[datetime, int]]] = {}
    for slug, first, number in rows.values_list("provider", "first_at", "number"):
        if slug in PROVIDERS and PROVIDERS[slug].configured:
            found.setdefault(slug, []).append((first, number))
    return found


def _since_the_last(slug: str, rows: list[tuple[datetime, int]]) -> int:
    """How many were refused since one was let in."""
    first = min(moment for moment, _number in rows)
    came = InboundEvent.objects.filter(provider=slug, received_at__gte=first).exclude(headers__has_key=PULLED)
    newest = came.aggregate(newest=Max("received_at"))["newest"]
    return sum(number for moment, number in rows if newest is None or moment > newest)
