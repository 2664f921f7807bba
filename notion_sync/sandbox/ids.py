"""Identifiers: UUIDs as Notion checks them, and the short ids of properties."""

from __future__ import annotations

import random
import re
import uuid
from collections.abc import Container
from urllib.parse import quote

from .errors import invalid

_UUID = re.compile(r"([0-9a-f]{8})-?([0-9a-f]{4})-?([1-8][0-9a-f]{3})-?([89ab][0-9a-f]{3})-?([0-9a-f]{12})\Z")
_NIL = re.compile(r"[0-]+\Z")
_DASHED = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\Z")
_PROPERTY_CHARS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz?:<=>@[]^_`{|}~;"
# What JavaScript's encodeURIComponent leaves alone.
_UNENCODED = "-_.!~*'()"

TITLE_ID = "title"
NIL_ID = "00000000-0000-0000-0000-000000000000"


def new_id() -> str:
    return str(uuid.uuid4())


def parse_uuid(text: object, path: str) -> str:
    """The dashed, lower-case form. Version and variant bits are checked; the nil UUID passes."""
    if isinstance(text, str):
        lowered = text.lower()
        match = _UUID.match(lowered)
        if match and (len(lowered) == 32 or _DASHED.match(lowered)):
            return "-".join(match.groups())
        if _NIL.match(lowered) and lowered.replace("-", "") == "0" * 32:
            return NIL_ID
    raise invalid(path, "a valid uuid", text)


def undashed(object_id: str) -> str:
    return object_id.replace("-", "")


def new_property_id(taken: Container[str]) -> str:
    """Four random characters; some of them have to be URL-encoded."""
    while True:
        candidate = "".join(random.choices(_PROPERTY_CHARS, k=4))  # noqa: S311 - a name, not a secret
        if candidate not in taken:
            return candidate


def encode_property_id(property_id: str) -> str:
    return quote(property_id, safe=_UNENCODED)
