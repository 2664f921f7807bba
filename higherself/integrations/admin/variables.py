"""What the entries of the environment are called, for staff who have to set them."""

from __future__ import annotations

from higherself.integrations.base import Provider, SharedSecretProvider

# What the settings call differently from the rule `<PROVIDER>_<NAME>`.
_VARIABLES = {("notion", "webhook_secret"): "NOTION_WEBHOOK_TOKEN"}


def variable(provider: Provider, name: str) -> str:
    """The entry of the environment for one of the provider's options."""
    return _VARIABLES.get((provider.slug, name), f"{provider.slug}_{name}".upper())


def secret_variables(provider: Provider) -> list[str]:
    """Those whose value proves a delivery, the one to set first."""
    found = [variable(provider, "webhook_secret")]
    if provider.slug == "hubspot":
        found.insert(0, variable(provider, "client_secret"))
    return [*found, "WEBHOOK_SECRET"] if isinstance(provider, SharedSecretProvider) else found
