"""Setting up a provider's webhooks from here: idempotent, with the secret stored before the provider hears of it."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from urllib.parse import quote, urlsplit

from higherself.core.errors import Permanent
from higherself.core.http import LOOPBACK
from higherself.integrations import hooks
from higherself.integrations.base import Provider
from higherself.integrations.client import Hook
from higherself.integrations.models import RegisteredWebhook
from higherself.integrations.registry import PROVIDERS


def providers() -> list[str]:
    """The providers whose API registers webhooks."""
    return [slug for slug, item in PROVIDERS.items() if item.offers("register_webhooks")]


def register(slug: str, url: str, *, only: Collection[str] = ()) -> list[Hook]:
    """Makes the provider send to ``url``; what is as it should be is left alone. Raises what the client raises."""
    provider = PROVIDERS[slug]
    if slug not in providers():
        raise Permanent(f"{provider.label} lets nobody register webhooks from outside: set them up there by hand.")
    address = _address(provider, url)
    makes_its_own = provider.client_class is not None and provider.client_class.makes_secrets
    secret = "" if makes_its_own else _secret(provider, address)
    if provider.token_in_path:
        address = f"{address}/{quote(secret, safe='')}"
    found = []
    with provider.client(patience=60.0) as client:
        client.only = frozenset(only)
        for hook in client.register_webhooks(address, secret, hooks.known(slug)):
            hooks.remember(slug, hook)
            found.append(hook)
    return found


def keep(slug: str) -> list[Hook]:
    """Looks after what is registered at a provider: renews it, switches it on again, makes it anew where it is gone.

    Nothing where nothing is registered. Raises what the client raises.
    """
    provider = PROVIDERS[slug]
    rows = RegisteredWebhook.objects.filter(provider=slug, active=True).exclude(remote_id="")
    found = []
    for url in rows.order_by().values_list("url", flat=True).distinct():
        names = list(rows.filter(url=url).values_list("name", flat=True))
        found += register(slug, _without_secret(provider, url), only=names)
    return found


def _without_secret(provider: Provider, url: str) -> str:
    for secret in provider.secrets if provider.token_in_path else []:
        url = url.removesuffix(f"/{quote(secret, safe='')}")
    return url


def _address(provider: Provider, url: str) -> str:
    """The webhook's address; of a bare host, our own path there."""
    parts = urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK):
        raise Permanent(f"{url!r} is no https address; {provider.label} sends to no other.")
    return url.rstrip("/") if parts.path.strip("/") else f"{url.rstrip('/')}/webhooks/{provider.slug}"


def _secret(provider: Provider, url: str) -> str:
    """The configured secret, else the one made earlier, else a new one, stored before it is used."""
    if provider.secrets:
        return provider.secrets[0]
    # Letters and digits only: WooCommerce decodes entities in it (class-wc-webhook.php), and it may stand in a path.
    made = secrets.token_hex(32)
    hooks.remember(provider.slug, Hook(name=hooks.SHARED, remote_id="", url=url, change="created", secret=made))
    return made
