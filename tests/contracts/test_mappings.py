"""What every mapping must keep, whichever database it declares. A new mapping is tested by being in the table."""

from __future__ import annotations

import json
import re
from collections import Counter
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.db import models
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from higherself.core.fields import FilesField, NameListField, PeopleField, SelectField
from higherself.core.models import Record
from notion_sync.mapping import NotionMapping
from notion_sync.mappings import MAPPINGS, mapping_for
from notion_sync.properties import (
    NOTION,
    REQUEST,
    SERVER,
    DateRange,
    Formula,
    MultiSelect,
    Property,
    Rollup,
    Select,
    Title,
    option_name,
)
from tests.notion_sync.notion import answer

DATABASES = json.loads((Path(__file__).parent / "databases.json").read_text())
each_mapping = pytest.mark.parametrize("mapping", [pytest.param(item, id=key) for key, item in MAPPINGS.items()])
each_field = pytest.mark.parametrize(
    ("mapping", "prop"),
    [pytest.param(item, prop, id=f"{key}.{prop.attr}") for key, item in MAPPINGS.items() for prop in item.fields],
)

# Columns of `Record` that are our own business.
NOT_MIRRORED = {
    *("id", "created_at", "updated_at", "archived_at", "local_change_at", "sync_paused"),
    # The server's own book-keeping: what the clock and the stock go by, and who was told.
    *("next_timer_at", "timers_seen_at", "stock_at", "told_at", "done_told"),
}
# Properties without a counterpart on the model: Notion keeps the first three itself, the engine writes the last.
WITHOUT_ATTRIBUTE = {"created", "last_edited", "open_tasks", "last_synced"}
# Which kind of model field can hold which type of property.
HOLDS: dict[str, tuple[type[models.Field[Any, Any]], ...]] = {
    "title": (models.CharField,),
    "rich_text": (models.CharField, models.TextField, models.JSONField),
    "select": (SelectField,),
    "multi_select": (NameListField,),
    "number": (models.IntegerField, models.FloatField, models.DecimalField),
    "checkbox": (models.BooleanField,),
    "date": (models.DateField,),
    "people": (PeopleField,),
    "files": (FilesField,),
    "email": (models.EmailField,),
    "url": (models.URLField,),
    "phone_number": (models.CharField,),
    "relation": (models.ForeignKey, models.ManyToManyField),
}


def field_of(mapping: type[NotionMapping], attr: str) -> Any:
    return mapping.model._meta.get_field(attr)


def arriving(key: str) -> list[str]:
    """The names of the properties that other databases' relations put on this one."""
    return [prop.reverse for mapping in MAPPINGS.values() for prop in mapping.relations if prop.to == key]


def names(key: str) -> list[str]:
    return [prop.name for prop in MAPPINGS[key].properties] + arriving(key)


# -- the sixteen ---------------------------------------------------------------------------------------------------


def test_every_mirrored_model_has_its_mapping():
    mirrored = {model for model in apps.get_models() if issubclass(model, Record)}
    assert {mapping.model for mapping in MAPPINGS.values()} == mirrored
    assert [mapping for mapping in MAPPINGS.values() if mapping_for(mapping.model) is not mapping] == []


def test_a_model_that_is_not_mirrored_has_no_mapping():
    assert mapping_for(apps.get_model("agents_app", "AgentRun")) is None


def test_the_databases_and_their_properties_are_those_of_the_contract():
    declared = {key: {"title": mapping.title, "properties": described(mapping)} for key, mapping in MAPPINGS.items()}
    assert declared == DATABASES


def test_the_environment_names_a_database_for_each():
    assert set(settings.NOTION_DATABASE_VARIABLES) == set(MAPPINGS)


def described(mapping: type[NotionMapping]) -> dict[str, str]:
    found = {prop.name: prop.type for prop in mapping.properties}
    found |= {prop.name: f"relation to {prop.to}, there {prop.reverse}" for prop in mapping.relations}
    return dict(sorted(found.items()))


# -- fields --------------------------------------------------------------------------------------------------------


@each_mapping
def test_every_column_of_the_model_is_mirrored(mapping: type[NotionMapping]):
    mirrored = {column for prop in mapping.properties for column in prop.columns}
    columns = {item.name for item in (*mapping.model._meta.fields, *mapping.model._meta.many_to_many)}
    assert columns - mirrored - NOT_MIRRORED == set()


@each_mapping
def test_every_declared_attribute_is_on_the_model(mapping: type[NotionMapping]):
    fields = {item.name for item in mapping.model._meta.get_fields()}
    computed = {name for name in dir(mapping.model) if isinstance(getattr(mapping.model, name, None), property)}
    unknown = {prop.attr for prop in mapping.properties if prop.attr not in (fields if prop.writable else computed)}
    assert unknown - WITHOUT_ATTRIBUTE == set()


@each_mapping
def test_every_property_has_a_field_that_can_hold_it(mapping: type[NotionMapping]):
    held = [prop for prop in mapping.properties if prop.writable and prop.attr not in WITHOUT_ATTRIBUTE]
    assert [prop for prop in held if not isinstance(field_of(mapping, prop.attr), HOLDS[prop.type])] == []


@each_mapping
def test_whatever_notion_may_leave_empty_the_model_may_too(mapping: type[NotionMapping]):
    fields = [field_of(mapping, column) for prop in mapping.fields for column in prop.columns]
    stubborn = [item.name for item in fields if not (item.null or item.has_default() or item.empty_strings_allowed)]
    assert stubborn == []


@each_mapping
def test_names_are_unique_in_the_database_with_those_that_arrive_from_others(mapping: type[NotionMapping]):
    assert {name: times for name, times in Counter(names(mapping.key)).items() if times > 1} == {}


@each_mapping
def test_a_record_is_called_by_its_title_and_else_by_its_own_id(mapping: type[NotionMapping]):
    own_id, title = mapping.identity[0], mapping.title_property.attr
    assert str(mapping.model(**{title: "A title", own_id: "ID-1"})).split(" (")[0] == "A title"
    assert str(mapping.model(**{own_id: "ID-1"})).split(" (")[0] == "ID-1"


@each_mapping
def test_there_is_one_title_and_the_four_common_properties(mapping: type[NotionMapping]):
    assert [prop for prop in mapping.properties if isinstance(prop, Title)] == [mapping.title_property]
    assert [prop.name for prop in mapping.properties[-4:]] == ["Created", "Last Edited", "Last Synced", "Sync Origin"]


@each_mapping
def test_the_own_id_is_text_that_no_two_rows_share(mapping: type[NotionMapping]):
    constraints = mapping.model._meta.constraints
    rules = [tuple(rule.fields) for rule in constraints if isinstance(rule, models.UniqueConstraint)]
    single = [(item.name,) for item in mapping.model._meta.fields if item.unique]
    assert {mapping.property(attr).type for attr in mapping.identity} == {"rich_text"}
    assert [*rules, *single].count(mapping.identity) == 1


@each_mapping
def test_the_natural_keys_begin_with_the_own_id_and_name_readable_fields(mapping: type[NotionMapping]):
    assert mapping.match_on[0] == mapping.identity
    readable = {prop.attr for prop in mapping.fields}
    assert [key for key in mapping.match_on if not set(key) <= readable] == []


@each_mapping
def test_options_are_what_notion_takes(mapping: type[NotionMapping]):
    for prop in mapping.properties:
        if isinstance(prop, Select):
            options = prop.options(mapping.model)
            assert options == [option_name(name) for name in options]
            assert len({name.casefold() for name in options}) == len(options) <= 100


@each_mapping
def test_a_new_row_begins_with_known_options(mapping: type[NotionMapping]):
    row = mapping.model()
    selects = [prop for prop in mapping.fields if isinstance(prop, Select) and not isinstance(prop, MultiSelect)]
    assert [prop for prop in selects if getattr(row, prop.attr) not in ("", *prop.options(mapping.model))] == []


# -- relations and computed properties -----------------------------------------------------------------------------


@each_mapping
def test_relations_lead_to_the_database_of_their_field_s_model(mapping: type[NotionMapping]):
    targets = {prop.attr: MAPPINGS[prop.to].model for prop in mapping.relations}
    assert targets == {attr: field_of(mapping, attr).related_model for attr in targets}


@each_mapping
def test_a_relation_may_be_empty_and_outlives_what_it_points_at(mapping: type[NotionMapping]):
    single = [field_of(mapping, prop.attr) for prop in mapping.relations if not prop.many(mapping.model)]
    assert [item for item in single if not item.null or item.remote_field.on_delete is not models.SET_NULL] == []


def test_the_databases_are_created_in_the_documented_order():
    assert list(MAPPINGS) == [
        "business_entities",
        "agent_registry",
        "api_integrations",
        "workflows_library",
        "contacts_profiles",
        "products_services",
        "data_transformations",
        "agent_communication",
        "use_cases",
        "notifications_templates",
        "active_workflow_instances",
        "master_tasks",
        "community_hub",
        "marketing_campaigns",
        "feedback_surveys",
        "rewards_bounties",
    ]


@each_mapping
def test_formulas_use_properties_that_are_there(mapping: type[NotionMapping]):
    used = {
        name
        for prop in mapping.computed
        if isinstance(prop, Formula)
        for name in re.findall(r'prop\("([^"]+)"\)', prop.expression)
    }
    assert used - set(names(mapping.key)) == set()


@each_mapping
def test_formulas_are_balanced(mapping: type[NotionMapping]):
    for prop in mapping.computed:
        if isinstance(prop, Formula):
            code = re.sub(r'"[^"]*"', "", prop.expression)
            assert code.count('"') == 0
            assert code.count("(") == code.count(")")


@each_mapping
def test_rollups_go_through_a_relation_to_a_property_of_its_target(mapping: type[NotionMapping]):
    ways = {prop.name: prop.to for prop in mapping.relations}
    ways |= {
        prop.reverse: other.key for other in MAPPINGS.values() for prop in other.relations if prop.to == mapping.key
    }
    for prop in mapping.computed:
        if isinstance(prop, Rollup):
            assert MAPPINGS[ways[prop.relation]].title_property.name == prop.property_name


# -- who decides ---------------------------------------------------------------------------------------------------


@each_mapping
def test_what_notion_owns_is_never_a_reason_to_write(mapping: type[NotionMapping]):
    owned = {prop.type for prop in mapping.fields if prop.owner is NOTION}
    assert owned - {"people", "files"} == set()


def test_only_a_workflow_s_state_is_asked_for():
    asked = [(key, prop.attr) for key, mapping in MAPPINGS.items() for prop in mapping.fields if prop.owner is REQUEST]
    assert asked == [("active_workflow_instances", "current_state")]


def test_own_ids_are_the_server_s_apart_from_those_of_workflows():
    theirs = [
        (key, attr)
        for key, mapping in MAPPINGS.items()
        for attr in mapping.identity
        if mapping.property(attr).owner is not SERVER
    ]
    assert theirs == [("workflows_library", "workflow_id"), ("workflows_library", "version")]


# -- there and back ------------------------------------------------------------------------------------------------

TEXT = st.text(max_size=60)
# PostgreSQL's JSON takes no NUL.
STORED = st.text(st.characters(exclude_characters="\0"), max_size=60)
UTC_MOMENTS = st.datetimes(
    min_value=datetime(1900, 1, 1),  # noqa: DTZ001 - the zone is drawn apart
    max_value=datetime(2200, 1, 1),  # noqa: DTZ001
    timezones=st.just(timezone.utc),
)
VALUES: dict[type, st.SearchStrategy[Any]] = {
    PeopleField: st.lists(st.fixed_dictionaries({"id": st.uuids().map(str), "name": TEXT}), max_size=3),
    FilesField: st.lists(st.fixed_dictionaries({"name": TEXT, "url": st.just("https://example.org/a?b")}), max_size=3),
    NameListField: st.lists(TEXT, max_size=5),
    models.JSONField: st.dictionaries(STORED, STORED | st.integers() | st.lists(st.booleans(), max_size=2), max_size=3),
    models.BooleanField: st.booleans(),
    models.DecimalField: st.decimals(min_value=-(10**9), max_value=10**9, places=2),
    models.FloatField: st.floats(allow_nan=False, allow_infinity=False),
    models.IntegerField: st.integers(min_value=0, max_value=12),
    models.DateTimeField: UTC_MOMENTS,
    models.DateField: st.dates(),
    models.EmailField: st.emails(),
    models.CharField: TEXT,
    models.TextField: TEXT,
}


def values_of(item: models.Field[Any, Any]) -> st.SearchStrategy[Any]:
    """Any value that the field may hold, null included where it may be null."""
    strategy = next(VALUES[kind] for kind in type(item).__mro__ if kind in VALUES)
    if item.max_length and isinstance(item, models.CharField) and not isinstance(item, models.EmailField):
        strategy = st.text(max_size=min(item.max_length, 60))
    return st.none() | strategy if item.null else strategy


@each_field
@hypothesis_settings(max_examples=8, suppress_health_check=[HealthCheck.differing_executors])
@given(data=st.data())
def test_a_value_goes_to_notion_and_comes_back(mapping: type[NotionMapping], prop: Property, data: st.DataObject):
    row, again = mapping.model(), mapping.model()
    for column in prop.columns:
        setattr(row, column, data.draw(values_of(field_of(mapping, column)), label=column))
    canonical = prop.get(row)
    returned = prop.read(answer(prop, prop.write(canonical)))
    assert prop.same(canonical, returned)
    prop.set(again, returned)
    assert prop.same(canonical, prop.get(again))
    assert prop.same(canonical, json.loads(json.dumps(canonical)))


@each_field
def test_an_empty_value_in_notion_is_stored_and_read_as_empty(mapping: type[NotionMapping], prop: Property):
    empty: Any = {"rich_text": [], "title": [], "multi_select": [], "people": [], "files": [], "checkbox": False}
    row = mapping.model()
    canonical = prop.read({"id": "x", "type": prop.type, prop.type: empty.get(prop.type)})
    prop.set(row, canonical)
    expected = canonical
    if prop.type == "number" and not field_of(mapping, prop.attr).null:
        expected = field_of(mapping, prop.attr).get_default()
    assert prop.same(expected, prop.get(row))


def test_relations_and_ranges_are_the_only_properties_of_more_than_one_column():
    wide = {prop.name for mapping in MAPPINGS.values() for prop in mapping.properties if len(prop.columns) > 1}
    assert wide == {"Start / End"}
    assert isinstance(MAPPINGS["products_services"].property("starts_at"), DateRange)


def test_the_relation_pairs_are_those_of_the_relation_matrix():
    assert sum(len(mapping.relations) for mapping in MAPPINGS.values()) == 51
