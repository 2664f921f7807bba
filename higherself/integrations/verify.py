"""Proofs that a delivery is genuine: constant in time, and closed without a secret.

Each function takes a list of secrets, because two are valid while one is being replaced.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Iterable

SVIX_TOLERANCE = 300
HUBSPOT_TOLERANCE = 300
SVIX_PREFIX = "whsec_"


def split_secrets(value: str) -> list[str]:
    """A setting's secrets: one, or two separated by a comma during a rotation."""
    return [part for part in (part.strip() for part in value.split(",")) if part]


def _equal(given: str, expected: str) -> bool:
    # compare_digest takes only ASCII as text; bytes take anything a stranger sends.
    return hmac.compare_digest(given.encode("utf-8", "surrogateescape"), expected.encode())


def _any_equal(given: str, expected: Iterable[str]) -> bool:
    """Compares with every value, so that the time tells nothing about which one matched."""
    return sum([_equal(given, value) for value in expected]) > 0


def secret_matches(given: str | None, secrets: list[str]) -> bool:
    return bool(given) and _any_equal(given or "", secrets)


def sign_hex(key: bytes, message: bytes) -> str:
    return hmac.new(key, message, hashlib.sha256).hexdigest()


def sign_base64(key: bytes, message: bytes) -> str:
    return base64.b64encode(hmac.new(key, message, hashlib.sha256).digest()).decode()


def hmac_hex(message: bytes, given: str, secrets: list[str], *, prefix: str = "") -> bool:
    """HMAC-SHA256 in hex (Notion: ``sha256=``)."""
    return bool(given) and _any_equal(given, [prefix + sign_hex(secret.encode(), message) for secret in secrets])


def hmac_base64(message: bytes, given: str, secrets: list[str], *, prefix: str = "") -> bool:
    """HMAC-SHA256 in base64 (Typeform: ``sha256=``; WooCommerce: no prefix)."""
    return bool(given) and _any_equal(given, [prefix + sign_base64(secret.encode(), message) for secret in secrets])


def airtable(message: bytes, given: str, secrets: list[str]) -> bool:
    """``X-Airtable-Content-MAC``: hex, with the decoded ``macSecretBase64`` as key (Airtable: webhooks overview)."""
    keys = _decoded(secrets)
    return bool(given) and _any_equal(given, ["hmac-sha256=" + sign_hex(key, message) for key in keys])


def svix(body: bytes, *, message_id: str, timestamp: str, signatures: str, secrets: list[str], now: float) -> bool:
    """Svix, which is Standard Webhooks: ``v1,`` + base64 over ``id.timestamp.body``, at most five minutes old."""
    if not (message_id and signatures and _recent(timestamp, now, SVIX_TOLERANCE)):
        return False
    signed = b".".join([_bytes(message_id), timestamp.encode(), body])
    keys = _decoded(secret.removeprefix(SVIX_PREFIX) for secret in secrets)
    expected = ["v1," + sign_base64(key, signed) for key in keys]
    return sum([_any_equal(given, expected) for given in signatures.split(" ")]) > 0


def hubspot_v3(
    body: bytes, *, method: str, uri: str, timestamp: str, given: str, secrets: list[str], now: float
) -> bool:
    """``X-HubSpot-Signature-v3``: base64 over method, URI, body and a timestamp in milliseconds, five minutes valid.

    HubSpot: validating requests. ``uri`` is the address that HubSpot was given, with its query string.
    """
    if not (given and timestamp.isascii() and timestamp.isdigit()):
        return False
    if not _recent(timestamp[:-3] or "0", now, HUBSPOT_TOLERANCE):
        return False
    signed = b"".join([method.encode(), _bytes(hubspot_uri(uri)), body, timestamp.encode()])
    return hmac_base64(signed, given, secrets)


# HubSpot: validating requests, "decode any of the URL-encoded entities listed"; the query's own "?" stays.
_HUBSPOT_DECODED = {
    "3A": ":", "2F": "/", "3F": "?", "40": "@", "21": "!", "24": "$", "27": "'",
    "28": "(", "29": ")", "2A": "*", "2C": ",", "3B": ";",
}  # fmt: skip
_HUBSPOT_ENTITY = re.compile("%(" + "|".join(_HUBSPOT_DECODED) + ")", re.IGNORECASE)


def hubspot_uri(uri: str) -> str:
    return _HUBSPOT_ENTITY.sub(lambda match: _HUBSPOT_DECODED[match.group(1).upper()], uri)


def is_off(timestamp: str, now: float, tolerance: int) -> bool:
    """Whether a signature's time, in seconds, can be read and is further from ours than the sender allows."""
    return timestamp.isascii() and timestamp.isdigit() and not _recent(timestamp, now, tolerance)


def _recent(timestamp: str, now: float, tolerance: int) -> bool:
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 15):
        return False
    return abs(now - int(timestamp)) <= tolerance


def _decoded(secrets: Iterable[str]) -> list[bytes]:
    """Base64 keys; a secret that is none proves nothing."""
    return [key for key in map(_decode, secrets) if key]


def _decode(secret: str) -> bytes:
    try:
        return base64.b64decode(secret, validate=True)
    except (binascii.Error, ValueError):
        return b""


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
