"""Edits of workflows, maps and templates by people: taken over, made a version, or put back with the reason."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from agents_app.models import NotificationTemplate, Workflow
from agents_app.seeds.templates import TEMPLATES
from agents_app.services import catalog, edits, messages
from agents_app.workflow import engine
from agents_app.workflow.definitions import SOURCES
from higherself.core.signals import record_pulled
from notion_sync.models import NotionPage
from notion_sync.sandbox import Sandbox
from tests.factories import make_contact, make_instance, make_template, make_workflow

pytestmark = pytest.mark.usefixtures("seeded")

LEAD = "WF-LEAD-CAPTURE"


def newest(workflow_id: str = LEAD) -> Workflow:
    catalog.stale()
    return catalog.current().workflow(workflow_id)


def edit(row: Any, **values: Any) -> None:
    """A person's edit in Notion, as the pull stores and announces it."""
    changed = {name: (getattr(row, name), value) for name, value in values.items()}
    type(row).objects.filter(pk=row.pk).update(**values)
    record_pulled.send(sender=type(row), pk=row.pk, changed=changed, actor="Notion (Grace)")
    row.refresh_from_db()


def with_label(row: Workflow, label: str) -> list[dict[str, Any]]:
    states = deepcopy(row.states)
    states[0]["label"] = label
    return states


def test_a_valid_edit_becomes_a_version_and_running_instances_stay_on_theirs():
    row = newest()
    running = engine.start(row, name="Lead", actor="Grace")
    before = row.states
    edit(row, states=with_label(row, "Just in"))

    fresh = newest()
    assert (fresh.pk != row.pk, fresh.version, fresh.status) == (True, "1.1.1", "Active")
    assert engine.definition_of(engine.start(fresh, name="Lead", actor="Grace")).state("new_lead").label == "Just in"
    running.refresh_from_db()
    assert (running.workflow_id, row.states, row.status) == (row.pk, before, "Deprecated")
    assert engine.definition_of(running).state("new_lead").label == before[0]["label"]
    assert "became version 1.1.1" in row.edit_result
    assert fresh.edit_result.endswith("made from 1.1.0 by an edit of Notion (Grace).")


def test_a_new_version_keeps_what_the_old_one_was_linked_with():
    row = newest()
    linked = sorted(agent.agent_id for agent in row.required_agents.all())
    edit(row, states=with_label(row, "Just in"))
    fresh = newest()
    assert sorted(agent.agent_id for agent in fresh.required_agents.all()) == linked
    assert fresh.related_use_cases.count() == 1
    assert [entity.entity_key for entity in fresh.business_entities.order_by("pk")] == [
        entity.entity_key for entity in row.business_entities.order_by("pk")
    ]


def test_versions_count_on_from_the_highest():
    row = newest()
    make_workflow(workflow_id=LEAD, version="1.10.0", status="Draft")
    edit(row, states=with_label(row, "Just in"))
    assert newest().version == "1.10.1"


def broken(name: str) -> dict[str, Any]:
    source = deepcopy(SOURCES[LEAD])
    states = [{"name": key, **value} for key, value in source["states"].items()]
    moves = source["transitions"]
    if name == "unreachable":
        return {"states": [*states, {"name": "island", "label": "Island", "status": "Completed"}]}
    if name == "guard":
        return {"transitions": [*moves, {"event": "x", "from": ["nurturing"], "to": "contacted", "guard": "moon:full"}]}
    if name == "no_end":
        return {"states": [{key: value for key, value in state.items() if key != "status"} for state in states]}
    if name == "event":
        states[0] = {**states[0], "tasks": [{"key": "k", "name": "Call", "completes": "no_such_event"}]}
        return {"states": states}
    states[0] = {**states[0], "notify": [{"template": "no_such_template", "to": "team"}]}
    return {"states": states}


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("unreachable", "state “island” can never be reached from “new_lead”"),
        ("guard", "unknown guard “moon”"),
        ("no_end", "no state ends the workflow"),
        ("event", "completes the unknown event “no_such_event”"),
        ("template", "it sends no_such_template"),
    ],
)
def test_an_edit_that_cannot_run_is_put_back_with_the_reason(name: str, reason: str):
    row = newest()
    good = (row.states, row.transitions, row.version, row.status)
    edit(row, **broken(name))
    assert (row.states, row.transitions, row.version, row.status) == good
    assert reason in row.edit_result
    assert (newest().pk, row.local_change_at is not None) == (row.pk, True)


def test_a_copied_page_that_cannot_run_waits_as_a_draft_and_the_last_good_version_goes_on():
    row = newest()
    copy = make_workflow(workflow_id=LEAD, version="2.0.0", status="Active", initial_state="")
    assert newest().pk == row.pk
    record_pulled.send(sender=Workflow, pk=copy.pk, changed={}, actor="Notion (Grace)")
    copy.refresh_from_db()
    assert (copy.status, "It waits as a draft" in copy.edit_result) == ("Draft", True)


def test_a_draft_that_cannot_run_is_not_made_active():
    row = make_workflow(status="Draft", initial_state="nowhere")
    edit(row, status="Active")
    assert (row.status, "The status set by Notion (Grace) was put back" in row.edit_result) == ("Draft", True)


def test_a_draft_without_instances_is_edited_as_it_is():
    row = make_workflow(status="Draft", states=[], transitions=[], initial_state="")
    edit(row, states=[{"name": "a", "label": "A"}])
    assert (row.states, Workflow.objects.filter(workflow_id=row.workflow_id).count()) == (
        [{"name": "a", "label": "A"}],
        1,
    )


# -- templates ------------------------------------------------------------------------------------------------------
def template(name: str = "lead_acknowledgement") -> NotificationTemplate:
    return NotificationTemplate.objects.get(template_id=name)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Hello {{first_nmae}}", "it uses first_nmae; known here are booking_date, "),
        ("Hello {{client name}}", "“{{client name}}” is no placeholder"),
        ("Hello {{client_name", "is no placeholder"),
    ],
)
def test_a_template_with_a_slip_is_put_back_with_the_reason(text: str, reason: str):
    row = template()
    good = row.content_template
    edit(row, content_template=text)
    assert (row.content_template, reason in row.edit_result) == (good, True)


def test_a_good_edit_of_a_template_is_taken_over_and_shown_with_sample_data():
    row = template()
    edit(row, subject_template="Welcome, {{lead_name}}", content_template="We saw: {{ lead_message }}")
    assert row.sample_rendered_output == "Welcome, Ada Lovelace\n\nWe saw: Is there a place in June?"
    assert row.edit_result.endswith("The edit by Notion (Grace) was taken over.")


def test_what_a_template_spoke_of_already_it_may_go_on_speaking_of():
    row = make_template(template_id="event_notice", status="Active", content_template="{{event_title}}")
    edit(row, content_template="Come to {{event_title}}!")
    assert row.content_template == "Come to {{event_title}}!"


def test_a_new_template_that_cannot_be_written_waits_as_a_draft():
    row = make_template(status="Active", content_template="{{nonsense}}")
    record_pulled.send(sender=NotificationTemplate, pk=row.pk, changed={}, actor="Notion (Grace)")
    row.refresh_from_db()
    assert (row.status, "It waits as a draft" in row.edit_result) == ("Draft", True)


def test_every_seeded_template_passes_the_check_and_has_a_preview():
    for row in TEMPLATES:
        found = template(row["template_id"])
        assert (found.template_id, edits.problem_of(found)) == (found.template_id, "")
        assert "{{" not in messages.preview(found)


def test_the_sample_knows_what_messages_about_workflows_know():
    instance = make_instance(contact=make_contact())
    assert set(messages.values_for(instance, None, {})) - set(messages.SAMPLE) == set()


# -- in the console -------------------------------------------------------------------------------------------------
def save(client: Client, row: Any, **values: str) -> str:
    url = reverse(f"admin:agents_app_{row._meta.model_name}_change", args=[row.pk])
    form = client.get(url).context["adminform"].form
    data = {name: form[name].value() for name in form.fields}
    data = {name: value for name, value in data.items() if value is not None} | values
    return client.post(url, data, follow=True).content.decode()


def test_an_edit_in_the_console_follows_the_same_rules(client: Client):
    client.force_login(User.objects.create_superuser("owner", password="a-long-password"))
    row = template()
    page = save(client, row, content_template="Hello {{first_nmae}}")
    assert "it uses first_nmae" in page
    row.refresh_from_db()
    assert "first_nmae" not in row.content_template
    save(client, row, content_template="Hello {{client_name}}")
    row.refresh_from_db()
    assert (row.content_template, row.edit_result.endswith("The edit by owner was taken over.")) == (
        "Hello {{client_name}}",
        True,
    )
    assert (
        "Hello Ada Lovelace"
        in client.get(reverse("admin:agents_app_notificationtemplate_change", args=[row.pk])).content.decode()
    )


# -- from end to end ------------------------------------------------------------------------------------------------
def test_the_reason_is_written_back_into_notion(notion: Sandbox, sync: Callable[..., Any]):
    sync()
    row = template()
    page = NotionPage.objects.get(database_id="notifications_templates", object_id=row.pk).page_id
    notion.person.update(page, {"Content Template": "Hello {{first_nmae}}"})
    sync()
    sync()
    values = notion.values(page)
    assert "it uses first_nmae" in values["Edit Result"]
    assert values["Content Template"] == row.content_template


def _islanded(states: list[Any], moves: list[Any]) -> dict[str, str]:
    return {"States": json.dumps([*states, {"name": "island", "label": "Island", "status": "Completed"}])}


def _guarded(states: list[Any], moves: list[Any]) -> dict[str, str]:
    more = {"event": "x", "from": ["nurturing"], "to": "contacted", "guard": "moon:full"}
    return {"Transitions": json.dumps([*moves, more])}


def _endless(states: list[Any], moves: list[Any]) -> dict[str, str]:
    return {"States": json.dumps([{key: part for key, part in row.items() if key != "status"} for row in states])}


def _renamed(states: list[Any], moves: list[Any]) -> dict[str, str]:
    """A state in which an instance stands, renamed in one place only."""
    return {"States": json.dumps(states).replace('"name": "nurturing"', '"name": "warming"')}


def _without_a_way(states: list[Any], moves: list[Any]) -> dict[str, str]:
    """The only ways into a state that goes on to be there."""
    return {"Transitions": json.dumps([row for row in moves if row["event"] != "contact_made"])}


def _late(states: list[Any], moves: list[Any]) -> dict[str, str]:
    return {"Transitions": json.dumps([{**row, "timer": {"hours": 10**14}} for row in moves])}


def _long_task(states: list[Any], moves: list[Any]) -> dict[str, str]:
    task = {"key": "k", "name": "Call", "estimated_minutes": 10**15}
    return {"States": json.dumps([{**states[0], "tasks": [task]}, *states[1:]])}


@pytest.mark.parametrize(
    ("edited", "reason", "stays"),
    [
        (lambda *_: {"States": '[{"name": "a", '}, "“States” is not valid JSON", True),
        (lambda *_: {"States": "[" * 5000}, "“States” is not valid JSON", True),
        (lambda *_: {"Transitions": '{"a": NaN}'}, "“Transitions” is not valid JSON", True),
        (lambda *_: {"States": "null"}, "initial state “new_lead” is not among the states", False),
        (lambda *_: {"States": "42"}, "states: Input should be a valid dictionary", False),
        (lambda *_: {"States": "[1, 2, 3]"}, "every state of the list needs a name of its own", False),
        (lambda *_: {"Transitions": '["x"]'}, "transitions.0: Input should be a valid dictionary", False),
        (lambda *_: {"Initial State": "moon"}, "initial state “moon” is not among the states", False),
        (_islanded, "state “island” can never be reached from “new_lead”", False),
        (_guarded, "unknown guard “moon”", False),
        (_endless, "no state ends the workflow", False),
        (_renamed, "starts in the unknown state “nurturing”", False),
        (_without_a_way, "completes the unknown event “contact_made”", False),
        (_late, "timer.hours: Input should be less than or equal to 87840", False),
        (_long_task, "estimated_minutes: Input should be less than or equal to 100000", False),
    ],
)
def test_a_hostile_edit_in_notion_is_refused_where_it_was_made_and_what_ran_goes_on(
    notion: Sandbox, sync: Callable[..., Any], edited: Any, reason: str, stays: bool
):
    """What can be read is put back; what is no JSON at all stays, so that nobody loses an hour's work to a comma."""
    only = {"keys": ["workflows_library"]}
    sync(**only)
    row = newest()
    good, running = (row.states, row.transitions), engine.start(row, name="Lead", actor="Grace")
    page = NotionPage.objects.get(database_id="workflows_library", object_id=row.pk).page_id
    wanted = edited(deepcopy(row.states), deepcopy(row.transitions))
    before = notion.values(page)
    notion.person.update(page, wanted)
    sync(**only)
    sync(**only)
    row.refresh_from_db()
    values = notion.values(page)
    assert reason in values["Edit Result"]
    assert {name: values[name] for name in wanted} == (wanted if stays else {name: before[name] for name in wanted})
    assert ((row.states, row.transitions), row.status, newest().pk) == (good, "Active", row.pk)
    engine.advance(running, "invalid", actor="Grace")
    assert running.current_state == "unqualified"


def test_a_large_edit_in_notion_becomes_a_version_and_a_renamed_state_keeps_its_instances(
    notion: Sandbox, sync: Callable[..., Any]
):
    only = {"keys": ["workflows_library"]}
    sync(**only)
    row = newest()
    running = engine.start(row, name="Lead", actor="Grace", key_data={"quality": "Low"})
    engine.advance(running, "scored", actor="LeadCaptureAgent")
    page = NotionPage.objects.get(database_id="workflows_library", object_id=row.pk).page_id
    states, moves = json.dumps(row.states), json.dumps(row.transitions)
    texts = [{"key": f"note_{number}", "name": "Read", "description": "x" * 2500} for number in range(20)]
    renamed = json.loads(states.replace('"nurturing"', '"warming"'))
    renamed[0]["tasks"] = texts
    notion.person.update(
        page, {"States": json.dumps(renamed), "Transitions": moves.replace('"nurturing"', '"warming"')}
    )
    sync(**only)
    fresh = newest()
    assert (fresh.version, len(json.dumps(fresh.states)) > 50_000) == ("1.1.1", True)
    engine.advance(running, "engagement_threshold", actor="Grace")
    assert (running.workflow_id, running.current_state) == (row.pk, "qualified")
    sync(**only)
    assert {values["Version"]: values["Status"] for values in map(notion.values, _pages(notion))} == {
        "1.1.0": "Deprecated",
        "1.1.1": "Active",
    }


def _pages(notion: Sandbox) -> list[str]:
    pages = [page["id"] for page in notion.pages("Workflows Library")]
    return [page for page in pages if notion.values(page)["Workflow ID"] == LEAD]


def test_several_properties_are_edited_in_peace_on_a_copy_that_is_a_draft(notion: Sandbox, sync: Callable[..., Any]):
    only = {"keys": ["workflows_library"]}
    sync(**only)
    row = newest()
    old = notion.values(NotionPage.objects.get(database_id="workflows_library", object_id=row.pk).page_id)
    names = ("Workflow Name", "Workflow ID", "Initial State", "States", "Transitions")
    copy = notion.person.create(
        "Workflows Library", {**{name: old[name] for name in names}, "Version": "2.0.0", "Status": "Draft"}
    )["id"]
    sync(**only)
    notion.person.update(copy, {"States": old["States"].replace('"nurturing"', '"warming"')})
    sync(**only)
    assert newest().pk == row.pk
    notion.person.update(copy, {"Transitions": old["Transitions"].replace('"nurturing"', '"warming"')})
    sync(**only)
    notion.person.update(copy, {"Status": "Active"})
    sync(**only)
    fresh = newest()
    assert (fresh.version, "warming" in {state["name"] for state in fresh.states}) == ("2.0.0", True)
