"""Typed reading of the environment. Only `higherself.settings` imports this."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

env = environ.FileAwareEnv()  # NAME_FILE points to a file that holds the value, as container secrets do

_ID = re.compile(r"([0-9a-fA-F]{8})-?([0-9a-fA-F]{4})-?([0-9a-fA-F]{4})-?([0-9a-fA-F]{4})-?([0-9a-fA-F]{12})")
LOOPBACK = {"localhost", "127.0.0.1", "::1"}


def load_env_file(path: Path) -> None:
    """Reads ``.env`` where it exists; what the process's environment already says stands."""
    if path.is_file():
        env.read_env(str(path))


def secret(name: str) -> str:
    """A secret has no default: unset is empty, and whoever needs it says so."""
    return str(env.str(name, default="")).strip()


def required(name: str, hint: str) -> str:
    value = secret(name)
    if not value:
        raise ImproperlyConfigured(f"{name} is not set. {hint}")
    return value


def base_url(name: str, default: str) -> str:
    """The host (with a path prefix, where one is given). Plain http is for loopback hosts only."""
    url = str(env.str(name, default="") or default).rstrip("/")
    parts = urlsplit(url)
    if url and (parts.scheme not in {"https", "http"} or not parts.hostname):
        raise ImproperlyConfigured(f"{name}={url!r} is not an address such as https://example.com")
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        raise ImproperlyConfigured(f"{name}={url!r}: plain http is accepted for loopback hosts only")
    return url


def notion_id(name: str, *aliases: str) -> str:
    """A Notion id with or without dashes, or a Notion URL that holds one; dashed, or empty."""
    value = next((found for found in map(secret, (name, *aliases)) if found), "")
    if not value:
        return ""
    # A URL may carry a view's id in its query; the database's own id stands in the path.
    found = _ID.findall(value.split("?", 1)[0])
    if not found:
        raise ImproperlyConfigured(f"{name}={value!r} is neither a Notion id nor the URL of a Notion page or database")
    return "-".join(found[-1]).lower()
