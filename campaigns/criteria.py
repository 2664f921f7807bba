"""Who belongs to a segment, as data: read and checked here, turned into one condition for the database.

    {"match": "all",
     "rules": [{"field": "status", "operator": "in", "value": ["Active Client", "Former Client"]},
               {"field": "did.purchase", "operator": "within_days", "value": 90},
               {"match": "any", "rules": […]}]}

A plain list of rules means "all". `FIELDS` names every field; ``did.…`` asks for what people did (`Interaction`),
``workflow.<id>`` for their workflow instances, ``community.…`` for their membership, ``feedback.…`` for what they said.
Other apps' tables are reached by the names of their relations to contacts, without importing them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Annotated, Any, Literal

from django.db.models import Exists, F, Model, OuterRef, Q
from django.db.models.expressions import Combinable
from django.utils import timezone
from pydantic import BaseModel, ConfigDict, Discriminator, Tag, ValidationError, field_validator, model_validator

from contacts.choices import NO_MARKETING, InteractionKind
from contacts.models import Contact

Operator = Literal[
    "equals",
    "not_equals",
    "in",
    "not_in",
    "contains",
    "not_contains",
    "greater_than",
    "less_than",
    "at_least",
    "at_most",
    "within_days",
    "not_within_days",
    "before",
    "after",
    "exists",
    "not_exists",
]
# Each of these is the opposite of another; whoever has no value fulfils it.
_OPPOSITE: dict[str, str] = {
    "not_equals": "equals",
    "not_in": "in",
    "not_contains": "contains",
    "not_within_days": "within_days",
    "not_exists": "exists",
}
_COMPARED = {"greater_than": "gt", "less_than": "lt", "at_least": "gte", "at_most": "lte"}
_LIMIT, _DEPTH, _DAYS, _VALUES = 50, 5, 36_500, 200
# What every database compares with every column: a larger number, or an older date, fails in one or the other.
_NUMBER, _TEXT, _YEARS = 1_000_000_000, 500, range(1900, 2201)


class BrokenCriteria(ValueError):
    """The criteria cannot be used. The message names everything that is wrong, for the person who wrote them."""


@dataclass(frozen=True)
class Place:
    """Where a field's value stands: ``path`` from the contact, or from the related rows that ``through`` names."""

    kind: Literal["text", "list", "number", "flag", "date", "rows"]
    path: str = ""
    through: str = ""
    # Which of the related rows count.
    only: Mapping[str, Any] | None = None

    @property
    def operators(self) -> frozenset[str]:
        return _OPERATORS[self.kind]


_ANY = {"exists", "not_exists"}
_OPERATORS: dict[str, frozenset[str]] = {
    "text": frozenset({"equals", "not_equals", "in", "not_in", "contains", "not_contains", *_ANY}),
    "list": frozenset({"contains", "not_contains", "in", "not_in", *_ANY}),
    "number": frozenset({"equals", "not_equals", "in", "not_in", *_COMPARED, *_ANY}),
    "flag": frozenset({"equals", "not_equals"}),
    "date": frozenset({"within_days", "not_within_days", "before", "after", *_ANY}),
    # Rows with a state and a date: workflow instances.
    "rows": frozenset({"equals", "not_equals", "in", "not_in", "within_days", "not_within_days", *_ANY}),
}
_LIVE = {"archived_at__isnull": True}


def _own(kind: Any, *names: str) -> dict[str, Place]:
    return {name: Place(kind, name) for name in names}


def _of(prefix: str, through: str, fields: Mapping[str, tuple[Any, str]]) -> dict[str, Place]:
    return {f"{prefix}.{name}": Place(kind, path, through, _LIVE) for name, (kind, path) in fields.items()}


FIELDS: dict[str, Place] = {
    **_own("text", "status", "contact_type", "lead_source", "quality_level", "country", "city", "state_province"),
    **_own("text", "company", "job_title", "email", "full_name"),
    **_own("list", "tags", "interests", "experience_attended", "artistic_mediums"),
    **_own("number", "engagement_score", "lead_score"),
    **_own("flag", "email_opt_in", "sms_opt_in"),
    **_own("date", "date_added", "last_interaction", "consent_at", "next_follow_up_date"),
    "business_entity": Place("text", "entity_key", "business_entities", _LIVE),
    **_of(
        "community",
        "community_profiles",
        {
            "status": ("text", "membership_status"),
            "level": ("text", "membership_level"),
            "platform": ("text", "primary_platform"),
            "engagement_score": ("number", "engagement_score"),
            "joined": ("date", "join_date"),
            "last_active": ("date", "last_active_date"),
            "interests": ("list", "interests"),
            "groups": ("list", "interest_groups"),
            "badges": ("list", "badges"),
            "events_attended": ("list", "events_attended"),
        },
    ),
    **_of(
        "feedback",
        "feedback",
        {
            "rating": ("number", "rating"),
            "sentiment": ("text", "sentiment"),
            "source": ("text", "source"),
            "received": ("date", "date_received"),
        },
    ),
    **{f"did.{kind}": Place("date", "at", "interactions", {"kind": kind}) for kind in InteractionKind.values},
    "did.anything": Place("date", "at", "interactions", {}),
}
# May be written to with marketing; the same rule as `contacts.queries.accepting_email_marketing`.
ACCEPTS = "accepts_email_marketing"
_WORKFLOW = re.compile(r"^workflow\.([A-Za-z0-9_-]{1,100})$")


def place_of(field: str) -> Place | None:
    """Where this field's value stands; None for an unknown one."""
    if field == ACCEPTS:
        return Place("flag")
    named = _WORKFLOW.match(field)
    if named:
        return Place("rows", "", "workflow_instances", {**_LIVE, "workflow__workflow_id": named.group(1)})
    return FIELDS.get(field)


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Rule(_Data):
    """``data_source`` may name where the value comes from, for people; the field alone decides."""

    field: str
    operator: Operator
    value: Any = None
    data_source: str = ""

    @model_validator(mode="after")
    def _fits(self) -> Rule:
        place = place_of(self.field)
        if place is None:
            raise ValueError(f"no field is called “{self.field[:60]}”")
        if self.operator not in place.operators:
            raise ValueError(f"“{self.field}” knows {', '.join(sorted(place.operators))}, not “{self.operator}”")
        problem = _value_problem(place, _OPPOSITE.get(self.operator, self.operator), self.value)
        if problem:
            raise ValueError(f"“{self.field}” {self.operator}: {problem}")
        return self


def _shape(item: Any) -> str:
    has_rules = "rules" in item if isinstance(item, dict) else isinstance(item, Group)
    return "group" if has_rules else "rule"


_Item = Annotated[
    Annotated["Group", Tag("group")] | Annotated[Rule, Tag("rule")],
    Discriminator(_shape),
]


class Group(_Data):
    match: Literal["all", "any"] = "all"
    rules: tuple[_Item, ...]

    @field_validator("rules", mode="before")
    @classmethod
    def _some(cls, value: Any) -> Any:
        if isinstance(value, (list, tuple)) and not value:
            raise ValueError("a group needs at least one rule")
        return value


def _value_problem(place: Place, operator: str, value: Any) -> str:
    if operator == "exists":
        return "" if value in (None, True, "") else "takes no value"
    if operator == "within_days":
        whole = isinstance(value, int) and not isinstance(value, bool)
        return "" if whole and 0 < value <= _DAYS else f"needs a number of days from 1 to {_DAYS}"
    if operator in {"before", "after"}:
        return "" if _moment(value) else "needs a date such as 2026-05-09"
    if operator == "in":
        if not isinstance(value, (list, tuple)) or not 0 < len(value) <= _VALUES:
            return f"needs a list of 1 to {_VALUES} values"
        return next((found for item in value if (found := _value_problem(place, "equals", item))), "")
    if place.kind == "flag":
        return "" if isinstance(value, bool) else "needs true or false"
    if place.kind == "number":
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not is_number:
            return "needs a number"
        return "" if abs(value) <= _NUMBER else f"needs a number of at most {_NUMBER}"
    if not isinstance(value, str) or not value.strip():
        return "needs a text"
    return "" if value.isprintable() and len(value) <= _TEXT else f"needs one line of at most {_TEXT} characters"


def _moment(value: Any, zone: tzinfo | None = None) -> datetime | None:
    """A date is its midnight, and a time without a zone a time, on the clock of ``zone``."""
    try:
        found = datetime.fromisoformat(str(value).replace("Z", "+00:00"))
    except ValueError:
        return None
    if found.year not in _YEARS:
        return None
    return found if found.tzinfo else found.replace(tzinfo=zone or timezone.get_default_timezone())


def parse(data: Any) -> Group:
    """Criteria from plain data; raises `BrokenCriteria` with every problem."""
    shaped = {"match": "all", "rules": data} if isinstance(data, list) else data
    try:
        _check_size(shaped)
        return Group.model_validate(shaped)
    except ValidationError as error:
        raise BrokenCriteria("; ".join(_readable(item) for item in error.errors())) from error


def _check_size(data: Any) -> None:
    def walk(node: Any, depth: int) -> int:
        if depth > _DEPTH:
            raise BrokenCriteria(f"Groups are nested deeper than {_DEPTH} levels.")
        rules = node.get("rules") if isinstance(node, dict) else None
        return sum(walk(rule, depth + 1) for rule in rules) if isinstance(rules, list) else 1

    if walk(data, 0) > _LIMIT:
        raise BrokenCriteria(f"There are more than {_LIMIT} rules.")


def _readable(item: Any) -> str:
    place = ".".join(str(part) for part in item["loc"] if part not in ("group", "rule"))
    text = item["msg"].removeprefix("Value error, ")
    return f"{place}: {text}" if place else text


# -- the condition --------------------------------------------------------------------------------------------------
def condition(group: Group, now: datetime) -> Q:
    """The criteria as one condition on contacts, of the moment ``now``, whose zone is that of dates without one."""
    parts = [condition(item, now) if isinstance(item, Group) else _rule(item, now) for item in group.rules]
    found = parts[0]
    for part in parts[1:]:
        found = found & part if group.match == "all" else found | part
    return found


def _rule(rule: Rule, now: datetime) -> Q:
    place = place_of(rule.field)
    assert place is not None
    positive = _OPPOSITE.get(rule.operator, rule.operator)
    found = _positive(rule.field, place, positive, rule.value, now)
    return ~found if positive != rule.operator else found


def _positive(field: str, place: Place, operator: str, value: Any, now: datetime) -> Q:
    if field == ACCEPTS:
        accepts = Q(email_opt_in=True) & ~Q(email="") & ~Q(status__in=[item.value for item in NO_MARKETING])
        return accepts if value else ~accepts
    test = _TESTS[place.kind](place.path, operator, value, now)
    return test if not place.through else Q(_related(place, test))


def _related(place: Place, test: Q) -> Combinable:
    relation: Any = Contact._meta.get_field(place.through)
    model: type[Model] = relation.related_model
    # The other side's name for the contact, whichever side the relation is declared on.
    link = {relation.remote_field.name: OuterRef("pk")}
    return Exists(model._base_manager.filter(test, **(place.only or {}), **link))


def _text(path: str, operator: str, value: Any, now: datetime) -> Q:
    if operator == "exists":
        return ~Q(**{path: ""})
    if operator == "in":
        return _any(Q(**{f"{path}__iexact": name}) for name in value)
    lookup = {"equals": "iexact", "contains": "icontains"}[operator]
    return Q(**{f"{path}__{lookup}": value})


def _any(parts: Iterable[Q]) -> Q:
    found = Q()
    for part in parts:
        found |= part
    return found


def _list(path: str, operator: str, value: Any, now: datetime) -> Q:
    if operator == "exists":
        return ~Q(**{path: []})
    return _any(Q(**{f"{path}__has_name": name}) for name in _listed(operator, value))


def _number(path: str, operator: str, value: Any, now: datetime) -> Q:
    if operator == "exists":
        return Q(**{f"{path}__isnull": False})
    if operator in {"equals", "in"}:
        # Not "exact": that makes 2.5 the 2 of a whole-number column.
        return _any(Q(**{f"{path}__gte": item, f"{path}__lte": item}) for item in _listed(operator, value))
    return Q(**{f"{path}__{_COMPARED[operator]}": value})


def _listed(operator: str, value: Any) -> list[Any]:
    return list(value) if operator == "in" else [value]


def _flag(path: str, operator: str, value: Any, now: datetime) -> Q:
    return Q(**{path: value})


def _date(path: str, operator: str, value: Any, now: datetime) -> Q:
    if operator == "exists":
        return Q(**{f"{path}__isnull": False})
    if operator == "within_days":
        return Q(**{f"{path}__gte": now - timedelta(days=value), f"{path}__lte": now})
    moment = _moment(value, now.tzinfo)
    return Q(**{f"{path}__lt" if operator == "before" else f"{path}__gte": moment})


def _rows(path: str, operator: str, value: Any, now: datetime) -> Q:
    """Workflow instances: that there is one, in which state, begun when."""
    if operator == "exists":
        return Q(pk=F("pk"))
    if operator == "within_days":
        return Q(start_date__gte=now - timedelta(days=value), start_date__lte=now)
    return Q(current_state__in=value if operator == "in" else [value])


_TESTS: dict[str, Callable[[str, str, Any, datetime], Q]] = {
    "text": _text,
    "list": _list,
    "number": _number,
    "flag": _flag,
    "date": _date,
    "rows": _rows,
}
