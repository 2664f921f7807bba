"""Reading foreign payloads without tripping: what is missing or of a wrong type is left out and reported by name.

Reports name places, never values: these are people's answers.
"""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta, timezone, tzinfo
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, ClassVar, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    field_validator,
    model_validator,
)

from higherself.integrations.delivery import Delivery, Unreadable, db_text

# No payload of any provider comes near; pydantic cannot write what is nested some 200 levels deep.
MAX_DEPTH = 40
TOO_DEEP = "The body is nested too deeply to be read."
MAX_PROBLEMS = 20
# Counts are kept in 32 bits (Django: IntegerField).
_MOST = 2**31 - 1
_MAX_DIGITS = 40
_FORM_KEY = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")


# -- the body -------------------------------------------------------------------------------------------------------
def content_of(delivery: Delivery) -> Any:
    """The body, from JSON or from a form, with every text as the databases can hold it. Raises `Unreadable`.

    Not to be changed: key, type, order and reading of one delivery share it.
    """
    if "content" not in delivery.findings:
        delivery.findings["content"] = _cleaned(_parsed(delivery), MAX_DEPTH)
    return delivery.findings["content"]


def _parsed(delivery: Delivery) -> Any:
    """JSON that its sender calls a form is read as what it is: PHP's cURL calls every body so unless told otherwise."""
    if not delivery.is_form:
        return delivery.json
    if delivery.content.lstrip()[:1] in {b"{", b"["}:
        with suppress(Unreadable):
            return delivery.json
    return _nested(delivery.form)


def object_of(delivery: Delivery) -> dict[str, Any]:
    """The body as an object. Raises `Unreadable` for any other shape."""
    found = content_of(delivery)
    if not isinstance(found, dict):
        raise Unreadable(f"A JSON object was expected, not {type(found).__name__}.")
    return found


def peek(delivery: Delivery) -> dict[str, Any]:
    """The body as an object, empty where it is none: for keys, which are needed whatever came."""
    try:
        return object_of(delivery)
    except Unreadable:
        return {}


def check_depth(value: Any, depth: int = MAX_DEPTH) -> None:
    """Raises `Unreadable` where JSON is nested so deeply that whoever handles it next might trip."""
    if depth < 0:
        raise Unreadable(TOO_DEEP)
    if isinstance(value, (dict, list)):
        for item in value.values() if isinstance(value, dict) else value:
            check_depth(item, depth - 1)


def _cleaned(value: Any, depth: int) -> Any:
    if depth < 0:
        raise Unreadable(TOO_DEEP)
    if isinstance(value, str):
        return db_text(value)
    if isinstance(value, list):
        return [_cleaned(item, depth - 1) for item in value]
    if isinstance(value, dict):
        return {db_text(name): _cleaned(item, depth - 1) for name, item in value.items()}
    return value


def _nested(form: Mapping[str, list[str]]) -> dict[str, Any]:
    """PHP's nested form fields as objects: ``a[b][0]=1`` is ``{"a": {"b": {"0": "1"}}}``."""
    found: dict[str, Any] = {}
    for name, values in form.items():
        match = _FORM_KEY.fullmatch(name)
        path = [match[1], *re.findall(r"\[([^\[\]]*)\]", match[2])] if match else [name]
        if len(path) > MAX_DEPTH:
            raise Unreadable("The form's fields are nested too deeply to be read.")
        _put(found, path, values[-1] if len(values) == 1 else values)
    return found


def _put(target: dict[str, Any], path: list[str], value: Any) -> None:
    for step in path[:-1]:
        inner = target.get(step)
        if not isinstance(inner, dict):
            inner = target[step] = {}
        target = inner
    target[path[-1]] = value


# -- single values --------------------------------------------------------------------------------------------------
def text(value: Any) -> str:
    """A text or a number as text, trimmed; anything else, and a flag, as nothing."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return ""
    return str(value).strip()


def decimal(value: Any) -> Decimal | None:
    """An amount. None where it is none, or beyond any sum of money."""
    written = text(value)
    if not written or len(written) > _MAX_DIGITS:
        return None
    try:
        number = Decimal(written)
    except InvalidOperation:
        return None
    return number if number.is_finite() and abs(number.adjusted()) < _MAX_DIGITS else None


def whole(value: Any) -> int | None:
    number = decimal(value)
    return int(number) if number is not None and number == number.to_integral_value() else None


def count(value: Any) -> int | None:
    """A number of persons, pieces or words. None where it is none, or beyond what a column holds."""
    number = whole(value)
    return number if number is not None and abs(number) <= _MOST else None


def looks_like_email(value: Any) -> bool:
    return isinstance(value, str) and bool(re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", value.strip()))


def as_list(value: Any) -> list[Any] | None:
    """A list, or what PHP makes of one: an object whose keys are numbers. None for anything else."""
    if isinstance(value, list):
        return value
    if isinstance(value, dict) and all(re.fullmatch(r"[0-9]{1,9}", str(name)) for name in value):
        return [value[name] for name in sorted(value, key=int)]
    return None


# -- times ----------------------------------------------------------------------------------------------------------
def time_of(value: Any, zone: tzinfo = timezone.utc) -> datetime | None:
    """A moment, from ISO 8601 ("T" or a space between), or from seconds or milliseconds since 1970; aware, in UTC.

    ``zone`` is what a time without an offset means. An hour that daylight saving time skips is read as an hour later,
    one that comes twice as the first. None where it is no time.
    """
    written = text(value)
    try:
        if re.fullmatch(r"[0-9]{1,17}(\.[0-9]{1,9})?", written):
            return _since_1970(float(written))
        moment = datetime.fromisoformat(_python_iso(written))
        aware = moment if moment.tzinfo else moment.replace(tzinfo=zone)
        return aware.astimezone(timezone.utc) if aware.year > 1 else None
    except (ValueError, OverflowError):
        return None


def later_time_of(value: Any, zone: tzinfo, after: datetime | None) -> datetime | None:
    """Like `time_of`, for an end: where the clock shows that hour twice, the one after the beginning."""
    moment = time_of(value, zone)
    if moment is None or after is None or moment > after:
        return moment
    local = moment.astimezone(zone).replace(fold=1).astimezone(timezone.utc)
    return local if local > after else moment


def _since_1970(number: float) -> datetime:
    # Seconds reach 10^11 in the year 5138; what is above are milliseconds.
    seconds = number / 1000 if number >= 1e11 else number
    return datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(seconds=seconds)


def _python_iso(written: str) -> str:
    """What Python 3.10 reads: no Z, an offset with a colon, a fraction of three or six digits."""
    written = re.sub(r"\s*(Z|z|UTC)$", "+00:00", written)
    written = re.sub(r"([+-]\d\d)(\d\d)$", r"\1:\2", written) if "T" in written or " " in written else written
    return re.sub(r"\.(\d+)", lambda match: "." + match[1][:6].ljust(6, "0"), written)


# -- tolerant models ------------------------------------------------------------------------------------------------
class Part(BaseModel):
    """A piece of a payload: unknown fields are kept, null is "not given", a wrong type is reported and left out.

    Every field needs a default. ``wanted`` names what should be there: its absence is reported.
    """

    model_config = ConfigDict(extra="allow")
    wanted: ClassVar[tuple[str, ...]] = ()

    @field_validator("*", mode="wrap")
    @classmethod
    def _tolerate(cls, value: Any, handler: ValidatorFunctionWrapHandler, info: ValidationInfo) -> Any:
        name = info.field_name or ""
        default = cls.model_fields[name].get_default(call_default_factory=True)
        if value is None:
            return default
        try:
            return handler(value)
        except ValidationError as error:
            _note(info, f"{cls.__name__}.{name}: {error.errors()[0]['msg']}")
            return default

    @model_validator(mode="after")
    def _report_missing(self, info: ValidationInfo) -> Any:
        for name in self.wanted:
            if getattr(self, name) == type(self).model_fields[name].get_default(call_default_factory=True):
                _note(info, f"{type(self).__name__}.{name}: not given")
        return self


P = TypeVar("P", bound=Part)


def read(model: type[P], raw: Mapping[str, Any]) -> tuple[P, list[str]]:
    """The payload, and what is missing or wrong in it."""
    problems: list[str] = []
    found = model.model_validate(raw, context=problems)
    return found, list(dict.fromkeys(problems))[:MAX_PROBLEMS]


def _note(info: ValidationInfo, problem: str) -> None:
    if isinstance(info.context, list):
        info.context.append(problem)


def _strict(convert: Callable[[Any], Any], wrong: str) -> BeforeValidator:
    """Empty stays empty; what cannot be converted is an error, which `Part` reports."""

    def check(value: Any) -> Any:
        converted = convert(value)
        is_empty = isinstance(value, str) and not value.strip()
        if converted in (None, "") and not is_empty:
            raise ValueError(wrong)
        return converted

    return BeforeValidator(check)


def _objects(value: Any, info: ValidationInfo) -> list[Any]:
    items = as_list(value)
    if items is None:
        raise ValueError("is no list")
    for item in items:
        if not isinstance(item, dict):
            _note(info, f"{info.field_name}: an item is no object")
    return [item for item in items if isinstance(item, dict)]


def _named(value: Any) -> Any:
    """An object; PHP writes an empty one as a list, and some interfaces write objects as JSON within JSON."""
    if isinstance(value, str) and value.lstrip()[:1] in {"{", "["}:
        try:
            value = _cleaned(json.loads(value), MAX_DEPTH)
        except (ValueError, RecursionError, Unreadable):
            raise ValueError("is no JSON") from None
    return {} if value in ([], "") else value


def _texts(value: Any) -> list[str]:
    items = as_list(value)
    if items is None:
        raise ValueError("is no list")
    return [item for item in map(text, items) if item]


def _flag(value: Any) -> bool:
    if isinstance(value, str):
        return value.strip().lower() in {"1", "true", "yes", "on"}
    return bool(value)


Text = Annotated[str, _strict(text, "is no text")]
Amount = Annotated[Decimal | None, _strict(decimal, "is no amount")]
Whole = Annotated[int | None, _strict(count, "is no whole number")]
Flag = Annotated[bool, BeforeValidator(_flag)]
Texts = Annotated[list[str], BeforeValidator(_texts)]
Named = Annotated[dict[str, Any], BeforeValidator(_named)]
# list[SomePart] with it: items that are no objects are reported and left out.
Objects = BeforeValidator(_objects)


# -- payloads whose shape nobody has published ----------------------------------------------------------------------
def find(body: Any, *names: str) -> Any:
    """The first value under any of the names, the nearest to the top, earlier names first; None where there is none.

    Case, dashes and underscores do not count: ``prospectEmail`` is ``prospect_email``.
    """
    levels = list(_levels(body))
    for name in names:
        wanted = plain_name(name)
        for level in levels:
            for key, value in level.items():
                if plain_name(key) == wanted and value not in (None, ""):
                    return value
    return None


def found_text(body: Any, *names: str) -> str:
    """Like `find`, as text; the first one that is a text or a number."""
    return next((written for name in names if (written := text(find(body, name)))), "")


def plain_name(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _levels(body: Any, limit: int = 500) -> Iterable[dict[str, Any]]:
    """Every object in it, from the outside in."""
    waiting: deque[Any] = deque([body])
    while waiting and limit:
        item, limit = waiting.popleft(), limit - 1
        if isinstance(item, dict):
            yield item
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)
