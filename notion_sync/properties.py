"""One class per Notion property type: how its value is read, written, stored here and declared there.

Three shapes of one value meet in a property class:

* the *wire* value, as Notion's API sends and takes it (``read`` and ``write``);
* the *canonical* value, plain JSON that two sides can be compared by (``same``);
* the model's value (``get`` and ``set``).

Canonical values never depend on how Notion happens to spell a thing: rich text is its plain text, options are
names, instants are UTC minutes, relations are sets of page ids.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable
from datetime import date, datetime, time, timezone
from decimal import Decimal, InvalidOperation
from enum import Enum
from math import isfinite
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.dateparse import parse_date, parse_datetime

# Notion: reference/request-limits.
TEXT_ITEM_UNITS = 2000
TEXT_ITEMS = 100
LIST_ITEMS = 100
URL_LENGTH = 2000
CONTACT_LENGTH = 200
# Notion shows at most 25 entries of a list-like value in a page object.
PAGE_OBJECT_ITEMS = 25

# Inside the classes below `type` is Notion's word for a property's type.
ModelClass = type[models.Model]


class Owner(Enum):
    """Whose word stands for a property."""

    BOTH = "both"  # either side may edit it; on a clash Notion wins and the local value is kept as a conflict
    SERVER = "server"  # ids, counters, scores, history: an edit in Notion is put back
    NOTION = "notion"  # only people set it, in Notion; it is read and never written
    REQUEST = "request"  # an edit in Notion asks the server for something (a state change); the server decides


BOTH, SERVER, NOTION, REQUEST = Owner.BOTH, Owner.SERVER, Owner.NOTION, Owner.REQUEST


class WrongType(ValueError):
    """The page has this property in another type than the mapping declares."""


class TooLong(ValueError):
    """The value does not fit into Notion's limits; the message says which."""


class Property:
    """A Notion property that stands for one model field."""

    type: ClassVar[str]
    writable: ClassVar[bool] = True

    def __init__(self, name: str, *, owner: Owner = BOTH, volatile: bool = False) -> None:
        self.name = name
        self.owner = owner
        # A volatile property goes along with other writes and is never a reason for one.
        self.volatile = volatile
        self.attr = ""

    def __set_name__(self, _owner: Any, attr: str) -> None:
        self.attr = attr

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r} ↔ {self.attr}>"

    @property
    def columns(self) -> tuple[str, ...]:
        """The model fields that ``set`` assigns."""
        return (self.attr,)

    # -- Notion ------------------------------------------------------------------------------------------------
    def schema(self) -> dict[str, Any]:
        """The property's configuration for creating it."""
        return {self.type: {}}

    def read(self, value: dict[str, Any]) -> Any:
        """The canonical value of a wire value. Raises `WrongType`."""
        if value.get("type", self.type) != self.type:
            raise WrongType(f"“{self.name}” is of type {value.get('type')} in Notion, not {self.type}")
        return self.from_wire(value.get(self.type))

    def write(self, canonical: Any) -> dict[str, Any]:
        """The wire value for a canonical one. Raises `TooLong`."""
        return {self.type: self.to_wire(canonical)}

    def from_wire(self, raw: Any) -> Any:
        return raw

    def to_wire(self, canonical: Any) -> Any:
        return canonical

    # -- the model ---------------------------------------------------------------------------------------------
    def get(self, obj: models.Model) -> Any:
        """The canonical value of the model's."""
        return self.from_model(getattr(obj, self.attr))

    def set(self, obj: models.Model, canonical: Any) -> None:
        """Assigns the canonical value to the model. Raises ValidationError when the model cannot hold it."""
        field = obj._meta.get_field(self.attr)
        setattr(obj, self.attr, self.to_model(canonical, field))

    def from_model(self, value: Any) -> Any:
        return value

    def to_model(self, canonical: Any, field: Any) -> Any:
        return canonical

    def same(self, one: Any, other: Any) -> bool:
        return bool(one == other)


def utf16_units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def chunks(text: str, size: int = TEXT_ITEM_UNITS) -> list[str]:
    """Splits so that each part has at most ``size`` UTF-16 units, never inside a character."""
    if len(text) * 2 <= size:
        return [text] if text else []
    parts, start, units = [], 0, 0
    for index, character in enumerate(text):
        width = 2 if ord(character) > 0xFFFF else 1
        if units + width > size:
            parts.append(text[start:index])
            start, units = index, 0
        units += width
    parts.append(text[start:])
    return parts


def clean_text(text: Any) -> str:
    """NFC, without NUL and lone surrogates, which neither Notion nor PostgreSQL takes."""
    cleaned = str(text or "").replace("\x00", "")
    if cleaned.isascii():
        return cleaned
    cleaned = cleaned.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return unicodedata.normalize("NFC", cleaned)


def plain_text(items: list[dict[str, Any]] | None) -> str:
    return "".join(item.get("plain_text") or (item.get("text") or {}).get("content", "") for item in items or [])


class Text(Property):
    """Rich text, compared and stored as its plain text; formatting in Notion stays until the text changes here."""

    type = "rich_text"

    def from_wire(self, raw: Any) -> str:
        return clean_text(plain_text(raw)) if raw else ""

    def to_wire(self, canonical: str) -> list[dict[str, Any]]:
        parts = chunks(canonical)
        if len(parts) > TEXT_ITEMS:
            raise TooLong(
                f"“{self.name}” has {utf16_units(canonical)} characters; Notion takes {TEXT_ITEMS * TEXT_ITEM_UNITS}"
            )
        return [{"type": "text", "text": {"content": part}} for part in parts]

    def from_model(self, value: Any) -> str:
        return clean_text(value)

    def to_model(self, canonical: str, field: Any) -> str:
        limit = getattr(field, "max_length", None)
        if limit and len(canonical) > limit:
            raise ValidationError(f"“{self.name}” has {len(canonical)} characters; {limit} fit here")
        return canonical


class Title(Text):
    type = "title"


class Json(Text):
    """A JSON value, shown in Notion as text. Text that does not parse is refused, and stays in Notion as it is."""

    def __init__(self, name: str, *, empty: Callable[[], Any] = dict, **kwargs: Any) -> None:
        super().__init__(name, **kwargs)
        self.empty = empty

    def from_model(self, value: Any) -> str:
        return clean_text(dump_json(value)) if value else ""

    def to_model(self, canonical: str, field: Any) -> Any:
        if not canonical.strip():
            return self.empty()
        value = load_json(canonical, self.name)
        # The word "null" is no value of its own: no column takes it.
        return self.empty() if value is None else value

    def same(self, one: Any, other: Any) -> bool:
        return bool(one == other) or _same_json(one, other)


class Number(Property):
    type = "number"

    def __init__(self, name: str, *, format: str = "number", **kwargs: Any) -> None:
        super().__init__(name, **kwargs)
        self.format = format

    def schema(self) -> dict[str, Any]:
        return {"number": {"format": self.format}}

    def from_wire(self, raw: Any) -> float | int | None:
        return _number(raw)

    def from_model(self, value: Any) -> float | int | None:
        return _number(value)

    def to_model(self, canonical: Any, field: Any) -> Any:
        if canonical is None:
            return None if field.null else field.get_default()
        if isinstance(field, models.DecimalField):
            return _decimal(canonical, field)
        if isinstance(field, models.IntegerField):
            value = round(canonical)
            field.run_validators(value)
            return value
        return float(canonical)


class Checkbox(Property):
    type = "checkbox"

    def from_wire(self, raw: Any) -> bool:
        return bool(raw)

    def from_model(self, value: Any) -> bool:
        return bool(value)


def option_name(name: Any) -> str:
    """Notion forbids commas in option names; a full-width one is no comma."""
    return clean_text(name).replace(",", "，").strip()[:100].strip()


class Select(Property):
    type = "select"

    def __init__(self, name: str, *, options: tuple[str, ...] | list[str] | None = None, **kwargs: Any) -> None:
        super().__init__(name, **kwargs)
        self._options = options

    def options(self, model: ModelClass) -> list[str]:
        """The options that ``setup_notion`` creates: given here, or those of the model's field."""
        if self._options is not None:
            return list(self._options)
        return list(getattr(model._meta.get_field(self.attr), "options", []))

    def from_wire(self, raw: Any) -> str:
        return clean_text(raw["name"]) if raw else ""

    def to_wire(self, canonical: str) -> dict[str, Any] | None:
        return {"name": canonical} if canonical else None

    def from_model(self, value: Any) -> str:
        return option_name(value)

    def to_model(self, canonical: str, field: Any) -> str:
        return canonical


class MultiSelect(Select):
    type = "multi_select"

    def from_wire(self, raw: Any) -> list[str]:  # type: ignore[override]
        return sorted({clean_text(option["name"]) for option in raw or []})

    def to_wire(self, canonical: list[str]) -> Any:  # type: ignore[override]
        if len(canonical) > LIST_ITEMS:
            raise TooLong(f"“{self.name}” has {len(canonical)} options; Notion takes {LIST_ITEMS}")
        return [{"name": name} for name in canonical]

    def from_model(self, value: Any) -> list[str]:  # type: ignore[override]
        return sorted({option_name(name) for name in value or [] if option_name(name)})

    def to_model(self, canonical: list[str], field: Any) -> list[str]:  # type: ignore[override]
        return list(canonical)


class _Short(Property):
    """Url, e-mail and phone number: a string, or null when empty (Notion refuses an empty string)."""

    limit: ClassVar[int]

    def from_wire(self, raw: Any) -> str:
        return clean_text(raw)

    def to_wire(self, canonical: str) -> str | None:
        if len(canonical) > self.limit:
            raise TooLong(f"“{self.name}” has {len(canonical)} characters; Notion takes {self.limit}")
        return canonical or None

    def from_model(self, value: Any) -> str:
        return clean_text(value)

    def to_model(self, canonical: str, field: Any) -> str:
        if field.max_length and len(canonical) > field.max_length:
            raise ValidationError(f"“{self.name}” has {len(canonical)} characters; {field.max_length} fit here")
        return canonical


class Url(_Short):
    type = "url"
    limit = URL_LENGTH


class Email(_Short):
    """Compared without case: a person's spelling in Notion stays until the address changes here."""

    type = "email"
    limit = CONTACT_LENGTH

    def from_wire(self, raw: Any) -> str:
        return clean_text(raw).strip().lower()

    def from_model(self, value: Any) -> str:
        return clean_text(value).strip().lower()


class Phone(_Short):
    type = "phone_number"
    limit = CONTACT_LENGTH


class Date(Property):
    """A day, as the person sees it. A time that a person adds in Notion is kept there and not here."""

    type = "date"

    def from_wire(self, raw: Any) -> str | None:
        return raw["start"][:10] if raw else None

    def to_wire(self, canonical: str | None) -> dict[str, Any] | None:
        return {"start": canonical} if canonical else None

    def from_model(self, value: Any) -> str | None:
        return value.isoformat() if value else None

    def to_model(self, canonical: str | None, field: Any) -> Any:
        return _parse(canonical).date() if canonical else None


class DateTime(Date):
    """An instant, to the minute: Notion drops seconds, so they count on neither side."""

    def from_wire(self, raw: Any) -> str | None:
        return canonical_moment(raw["start"]) if raw else None

    def from_model(self, value: Any) -> str | None:
        return canonical_datetime(value) if value else None

    def to_model(self, canonical: str | None, field: Any) -> Any:
        return _parse(canonical) if canonical else None


class DateRange(Property):
    """A start and an end in one Notion property and two model fields."""

    type = "date"

    def __init__(self, name: str, *, end: str, **kwargs: Any) -> None:
        super().__init__(name, **kwargs)
        self.end = end

    @property
    def columns(self) -> tuple[str, ...]:
        return (self.attr, self.end)

    def from_wire(self, raw: Any) -> list[str | None]:
        raw = raw or {}
        return [canonical_moment(raw[key]) if raw.get(key) else None for key in ("start", "end")]

    def to_wire(self, canonical: list[str | None]) -> Any:
        start, end = canonical
        return {"start": start, "end": end} if start else None

    def get(self, obj: models.Model) -> list[str | None]:
        start, end = (getattr(obj, name) for name in self.columns)
        if start is None:
            return [None, None]  # Notion has no end without a start
        return [canonical_datetime(start), canonical_datetime(end) if end else None]

    def set(self, obj: models.Model, canonical: list[str | None]) -> None:
        for name, value in zip(self.columns, canonical, strict=True):
            setattr(obj, name, _parse(value) if value else None)


class People(Property):
    """Notion users, compared by id. Their names are kept for showing."""

    type = "people"

    def from_wire(self, raw: Any) -> list[dict[str, str]]:
        people = [{"id": person["id"], "name": person.get("name") or ""} for person in raw or []]
        return sorted(people, key=lambda person: person["id"])

    def to_wire(self, canonical: list[dict[str, str]]) -> list[dict[str, str]]:
        if len(canonical) > LIST_ITEMS:
            raise TooLong(f"“{self.name}” has {len(canonical)} people; Notion takes {LIST_ITEMS}")
        return [{"id": person["id"]} for person in canonical]

    def from_model(self, value: Any) -> list[dict[str, str]]:
        return self.from_wire(value)

    def same(self, one: Any, other: Any) -> bool:
        return {person["id"] for person in one or []} == {person["id"] for person in other or []}


class Files(Property):
    """Files by name and address. The address of a file that Notion hosts is signed anew at each read."""

    type = "files"

    def from_wire(self, raw: Any) -> list[dict[str, str]]:
        return [{"name": item.get("name") or "", "url": _file_url(item)} for item in raw or []]

    def to_wire(self, canonical: list[dict[str, str]]) -> list[dict[str, Any]]:
        if len(canonical) > LIST_ITEMS:
            raise TooLong(f"“{self.name}” has {len(canonical)} files; Notion takes {LIST_ITEMS}")
        return [
            {"name": (item["name"] or item["url"])[:100], "type": "external", "external": {"url": item["url"]}}
            for item in canonical
        ]

    def from_model(self, value: Any) -> list[dict[str, str]]:
        return [{"name": item.get("name") or "", "url": item.get("url") or ""} for item in value or []]

    def same(self, one: Any, other: Any) -> bool:
        return [item["url"] for item in one or []] == [item["url"] for item in other or []]


class Relation(Property):
    """Pages of another mapped database. ``reverse`` names the property that shows it from the other side.

    Canonical: the sorted ids of the related pages. The engine translates between them and local rows, because
    that takes the table of known pages; ``many`` is true for a many-to-many field.
    """

    type = "relation"

    def __init__(self, name: str, *, to: str, reverse: str, **kwargs: Any) -> None:
        super().__init__(name, **kwargs)
        self.to = to
        self.reverse = reverse

    def many(self, model: ModelClass) -> bool:
        return bool(model._meta.get_field(self.attr).many_to_many)

    def from_wire(self, raw: Any) -> list[str]:
        return sorted({item["id"] for item in raw or []})

    def to_wire(self, canonical: list[str]) -> list[dict[str, str]]:
        return [{"id": page_id} for page_id in canonical]

    def get(self, obj: models.Model) -> Any:
        raise TypeError("relations are read through the engine's page index")

    def set(self, obj: models.Model, canonical: Any) -> None:
        raise TypeError("relations are stored through the engine's page index")


class _Computed(Property):
    """Notion computes it: declared for ``setup_notion``, never read or written."""

    writable = False


class Formula(_Computed):
    type = "formula"

    def __init__(self, name: str, expression: str) -> None:
        super().__init__(name, owner=NOTION)
        self.expression = expression

    def schema(self) -> dict[str, Any]:
        return {"formula": {"expression": self.expression}}


class Rollup(_Computed):
    """``function`` over ``property_name`` of the pages related through ``relation`` (often a reverse relation)."""

    type = "rollup"

    def __init__(self, name: str, *, relation: str, property_name: str, function: str = "count") -> None:
        super().__init__(name, owner=NOTION)
        self.relation = relation
        self.property_name = property_name
        self.function = function

    def schema(self) -> dict[str, Any]:
        return {
            "rollup": {
                "relation_property_name": self.relation,
                "rollup_property_name": self.property_name,
                "function": self.function,
            }
        }


class CreatedTime(_Computed):
    type = "created_time"

    def __init__(self, name: str) -> None:
        super().__init__(name, owner=NOTION)


class LastEditedTime(CreatedTime):
    type = "last_edited_time"


# -- helpers -----------------------------------------------------------------------------------------------------


def _number(value: Any) -> float | int | None:
    if value is None:
        return None
    number = float(value)
    return int(number) if number.is_integer() else number


def _decimal(value: float, field: Any) -> Decimal:
    try:
        amount = Decimal(str(value)).quantize(Decimal(1).scaleb(-field.decimal_places))
    except InvalidOperation as error:
        raise ValidationError(f"{value} is not an amount that {field.verbose_name} can hold") from error
    field.run_validators(amount)
    return amount


def canonical_datetime(value: datetime) -> str:
    moment = value.astimezone(timezone.utc).replace(second=0, microsecond=0)
    return moment.isoformat(timespec="milliseconds")


def canonical_moment(text: str) -> str:
    """A date as it is; a date-time as the UTC minute that it falls into."""
    return text if len(text) == 10 else canonical_datetime(_parse(text))


def _parse(text: str) -> datetime:
    moment = parse_datetime(text) if len(text) > 10 else None
    if moment is None:
        day = parse_date(text[:10])
        if day is None:
            raise ValidationError(f"{text!r} is not a date")
        moment = datetime.combine(date(day.year, day.month, day.day), time())
    # Notion takes a date-time without offset for UTC.
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)


def _file_url(item: dict[str, Any]) -> str:
    if "url" in item:
        return str(item["url"])
    kind = item.get("type") or ("external" if "external" in item else "file")
    url = (item.get(kind) or {}).get("url", "")
    return url if kind == "external" else url.split("?", 1)[0]


def dump_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)


def load_json(text: str, name: str) -> Any:
    """The value, with nothing in it that a database refuses: no infinity, no NUL, no half of a character."""
    try:
        return _storable(json.loads(text, parse_constant=_finite, parse_float=_finite))
    except (ValueError, RecursionError) as error:
        raise ValidationError(f"“{name}” is not valid JSON: {error}") from error


def _finite(digits: str) -> float:
    number = float(digits)
    if not isfinite(number):
        raise ValueError(f"{digits} is not a number of JSON")
    return number


def _storable(value: Any) -> Any:
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, list):
        return [_storable(item) for item in value]
    if isinstance(value, dict):
        return {clean_text(key): _storable(item) for key, item in value.items()}
    return value


def _same_json(one: str, other: str) -> bool:
    try:
        return bool(json.loads(one or "null") == json.loads(other or "null"))
    except (ValueError, RecursionError):
        return False
