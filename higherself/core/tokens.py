"""Making and checking API tokens."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

from django.utils import timezone

from higherself.core.models import ApiToken

PREFIX = "hsn_"
SCOPES = {
    "workflows:read": "see workflow instances",
    "workflows:write": "move workflow instances",
    "events:read": "see inbound events",
    "health:read": "see each component's health",
    "metrics:read": "read metrics",
    "schema:read": "read the API's schema",
}
# Noting every single use would be a write per request.
_USE_NOTED_EVERY = timedelta(minutes=1)


def _digest(token: str) -> str:
    # A token has 256 random bits, so a plain hash is as good as a slow one.
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()


def create(name: str, scopes: list[str], expires_at: datetime | None) -> str:
    """Stores a new token and returns it. It cannot be read again."""
    token = PREFIX + secrets.token_urlsafe(32)
    ApiToken.objects.create(name=name, digest=_digest(token), scopes=scopes, expires_at=expires_at)
    return token


def find(token: str) -> ApiToken | None:
    """The valid token's row, or None where it is unknown, expired or revoked."""
    found = ApiToken.objects.filter(digest=_digest(token), revoked_at__isnull=True).first()
    now = timezone.now()
    if found is None or (found.expires_at and found.expires_at <= now):
        return None
    if found.last_used_at is None or now - found.last_used_at > _USE_NOTED_EVERY:
        ApiToken.objects.filter(pk=found.pk).update(last_used_at=now)
    return found
