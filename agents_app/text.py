"""Text from outside made safe to store: every database takes it, every limit is kept, nothing is cut silently."""

from __future__ import annotations

import re
from typing import Any

# PostgreSQL refuses NUL; no database takes half a surrogate pair; the other control characters are never meant.
# Tab, line feed and the joiners of emoji and right-to-left scripts stay.
_UNSTORABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
# Notion: reference/property-object. A select option holds no comma and at most 100 characters.
OPTION_LIMIT = 100


def clean(value: Any) -> str:
    """Any value as storable text, without surrounding white space."""
    if value is None:
        return ""
    text = str(value)
    # Nearly all values: one pass in C instead of three.
    if text.isprintable():
        return text.strip()
    return _UNSTORABLE.sub("", text.replace("\r\n", "\n").replace("\r", "\n")).strip()


def one_line(value: Any, limit: int) -> str:
    """A name or a title: white space folded, cut with an ellipsis when it is longer than the field."""
    text = " ".join(clean(value).split())
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def shorten(text: str, limit: int, event_id: object) -> str:
    """At most ``limit`` characters; what is missing is counted and its place named."""
    if len(text) <= limit:
        return text
    # The count stands in the remark, and the remark's length in the count: settle on the longest remark first.
    room = limit - len(_remark(len(text), event_id))
    if room < 0:
        return text[:limit]
    kept = text[:room].rstrip()
    return kept + _remark(len(text) - len(kept), event_id)


def _remark(missing: int, event_id: object) -> str:
    return f"… ({missing} more characters in event {event_id})"


def option_names(values: Any, limit: int = 100) -> list[str]:
    """Names fit for a multi-select: no commas, no doubles (whatever their case), at most ``limit`` of them."""
    found: dict[str, str] = {}
    for value in values:
        name = one_line(clean(value).replace(",", " "), OPTION_LIMIT)
        if name:
            found.setdefault(name.casefold(), name)
    return list(found.values())[:limit]


def union(existing: list[str], new: list[str], limit: int = 100) -> list[str]:
    """The names already there, in their spelling, and the new ones behind them."""
    return option_names([*existing, *new], limit)
