"""Keeps secrets out of every log line."""

from __future__ import annotations

import logging
import re
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.core.signals import setting_changed

MASK = "***"
_SECRET_SETTINGS = (
    "SLACK_WEBHOOK_URL",
    "AI_API_KEY",
    "SECRET_KEY",
    "NOTION_API_TOKEN",
    "NOTION_WEBHOOK_TOKEN",
    "WEBHOOK_SECRET",
    "SENTRY_DSN",
)
HARMLESS = {"base_url", "time_zone", "username", "publication_id", "community_id", "base_id", "token_scheme"}
HARMLESS |= {"monthly_requests", "file_hosts"}
_PATH_TOKEN = re.compile(r"(/+webhooks/+[^/?\s\"]+/+)[^?\s\"]+")
_WHOLE_PATH = re.compile(r"\A(/+webhooks/+[^/?]+/+).+", re.DOTALL)
_HEADER = re.compile(r"(?i)((?:authorization|x-webhook-secret)[\"']?\s*[:=]\s*[\"']?(?:token |bearer )?)[^\s\"',}]+")
_SECRET_HEADERS = {"authorization", "x-webhook-secret", "cookie", "amelia"}
# What a stranger sends must not look like a line of ours, nor steer a terminal.
_CONTROL = {code: f"\\x{code:02x}" for code in (*range(9), *range(10, 32), *range(127, 160))}
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
            if name not in HARMLESS:
                values += value.split(",")
    # Very short values would mask half of every line; none of the providers issues one.
    return tuple(sorted({value.strip() for value in values if len(value.strip()) >= 6}, key=len, reverse=True))


def _forget(**_kwargs: object) -> None:
    """A test has other secrets than the one before it."""
    _secrets.cache_clear()


setting_changed.connect(_forget)


def redact_report(report: Any, _hint: Any = None) -> Any:
    """An error report (of Sentry) without them: addresses, headers and messages stand in it at any depth."""
    if isinstance(report, str):
        return redact(report)
    if isinstance(report, dict):
        return {
            name: MASK if str(name).lower() in _SECRET_HEADERS else redact_report(value)
            for name, value in report.items()
        }
    if isinstance(report, (list, tuple)):
        return [redact_report(item) for item in report]
    return report


def redact_path(path: str) -> str:
    """An address's path, unquoted as servers hand it on, without the token at its end: that may hold spaces."""
    return redact(_WHOLE_PATH.sub(rf"\1{MASK}", path))


def _clean_argument(value: Any) -> Any:
    return redact_path(value) if isinstance(value, str) and value.startswith("/") else value


class RedactSecrets(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(map(_clean_argument, record.args))
        message = record.getMessage()
        clean = redact(message.translate(_CONTROL))
        if clean != message:
            record.msg, record.args = clean, ()
        if record.exc_info:
            record.exc_text = redact(logging.Formatter().formatException(record.exc_info))
        return True
