"""The webhooks that we have registered at providers, and the secrets that came of it."""

from __future__ import annotations

from django.core.cache import cache
from django.utils import timezone

from higherself.integrations.client import Hook
from higherself.integrations.models import RegisteredWebhook

# The row that holds a secret made by us, before any webhook has it.
SHARED = "shared secret"
# Every delivery asks; a new secret counts at once in the process that stored it, elsewhere after this. Seconds.
KEPT_SECONDS = 10


def secrets_of(provider: str) -> list[str]:
    """The secrets of a provider's registered webhooks, newest first."""
    return list(_secrets().get(provider, []))


def _secrets() -> dict[str, list[str]]:
    found: dict[str, list[str]] | None = cache.get("integrations.hooks")
    if found is None:
        found = {}
        rows = RegisteredWebhook.objects.filter(active=True).exclude(secret="").order_by("-pk")
        for provider, secret in rows.values_list("provider", "secret"):
            if secret not in found.setdefault(provider, []):
                found[provider].append(secret)
        cache.set("integrations.hooks", found, KEPT_SECONDS)
    return found


def known(provider: str) -> dict[str, str]:
    """The ids of what is registered, by name."""
    rows = RegisteredWebhook.objects.filter(provider=provider).exclude(remote_id="")
    return dict(rows.values_list("name", "remote_id"))


def remember(provider: str, hook: Hook) -> None:
    """Stores a webhook as it stands at the provider now; a secret that was stored earlier stays unless there is a new
    one."""
    row, _ = RegisteredWebhook.objects.get_or_create(provider=provider, name=hook.name, defaults={"url": hook.url})
    row.remote_id, row.url, row.active, row.checked_at = hook.remote_id, hook.url, True, timezone.now()
    row.secret = hook.secret or row.secret
    row.expires_at, row.data = hook.expires_at, hook.data
    row.save()
    cache.delete("integrations.hooks")
