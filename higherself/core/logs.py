"""Keeps secrets out of every log line."""

from __future__ import annotations

import logging
import re
from functools import lru_cache

from django.conf import settings
from django.core.signals import setting_changed

MASK = "***"
_SECRET_SETTINGS = ("SECRET_KEY", "NOTION_API_TOKEN", "NOTION_WEBHOOK_TOKEN", "WEBHOOK_SECRET", "SENTRY_DSN")
_HARMLESS = {"base_url", "time_zone", "username", "publication_id", "community_id", "base_id"}
_PATH_TOKEN = re.compile(r"(/+webhooks/+[^/?\s\"]+/+)[^?\s\"]+")
_HEADER = re.compile(r"(?i)((?:authorization|x-webhook-secret)[\"']?\s*[:=]\s*[\"']?(?:token |bearer )?)[^\s\"',}]+")
_OWN_TOKEN = re.compile(r"hsn_[A-Za-z0-9_-]{20,}")


def redact(text: str) -> str:
    """The text without configured secrets, webhook path tokens, and credentials in headers."""
    for value in _secrets():
        text = text.replace(value, MASK)
    text = _PATH_TOKEN.sub(rf"\1{MASK}", text)
    text = _HEADER.sub(rf"\1{MASK}", text)
    return _OWN_TOKEN.sub(MASK, text)


@lru_cache(maxsize=1)
def _secrets() -> tuple[str, ...]:
    values = [str(getattr(settings, name, "") or "") for name in _SECRET_SETTINGS]
    for options in settings.PROVIDERS.values():
        for name, value in options.items():
            if name not in _HARMLESS:
                values += value.split(",")
    # Very short values would mask half of every line; none of the providers issues one.
    return tuple(sorted({value.strip() for value in values if len(value.strip()) >= 6}, key=len, reverse=True))


def _forget(**_kwargs: object) -> None:
    """A test has other secrets than the one before it."""
    _secrets.cache_clear()


setting_changed.connect(_forget)


class RedactSecrets(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        clean = redact(message)
        if clean != message:
            record.msg, record.args = clean, ()
        if record.exc_info:
            record.exc_text = redact(logging.Formatter().formatException(record.exc_info))
        return True
