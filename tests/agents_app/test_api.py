"""The API over workflows and events: what it shows, to whom, and how it moves an instance."""

from __future__ import annotations

import base64
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.core.cache import cache
from django.test import Client

from agents_app.models import Workflow, WorkflowInstance
from agents_app.services import catalog
from agents_app.workflow import engine
from higherself.core import tokens
from higherself.core.models import ApiToken
from higherself.integrations.models import InboundEvent
from notion_sync.models import NotionDatabase, NotionPage
from tests.factories import make_contact, make_task, make_workflow

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=timezone.utc)
STATES = [
    {"name": "new", "label": "New"},
    {"name": "paid", "label": "Paid"},
    {"name": "done", "label": "Done", "status": "Completed"},
]
TRANSITIONS = [
    {"event": "pay", "from": ["new"], "to": "paid", "label": "Mark as paid"},
    {"event": "ship", "from": ["paid"], "to": "done", "guard": "is_art"},
    {"event": "approve", "from": ["new"], "to": "done", "permission": "agents_app.delete_workflow"},
]


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    cache.clear()
    monkeypatch.setattr("higherself.core.jobs.wake", lambda name: None)


@pytest.fixture
def workflow() -> Workflow:
    made = make_workflow(
        workflow_id="WF-SALE",
        workflow_name="Sale",
        version="1.2.0",
        status="Active",
        initial_state="new",
        states=STATES,
        transitions=TRANSITIONS,
    )
    catalog.forget()
    return made


@pytest.fixture
def instance(workflow: Workflow) -> WorkflowInstance:
    contact = make_contact(first_name="Ada", last_name="Lovelace", full_name="Ada Lovelace", email="ada@example.org")
    return engine.start(workflow, name="Sale to Ada", actor="BookingAgent", contact=contact, note="a first order")


def bearer(*scopes: str, **options: Any) -> Client:
    return Client(headers={"Authorization": f"Token {tokens.create('test', list(scopes), None)}"}, **options)


@pytest.fixture
def reader() -> Client:
    return bearer("workflows:read", "events:read")


@pytest.fixture
def writer() -> Client:
    return bearer("workflows:write")


def person(*permissions: str, staff: bool = True) -> Client:
    user = User.objects.create_user("grace", password="x", is_staff=staff)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(user)
    return client


def move(client: Client, instance: WorkflowInstance, event: str, **data: Any) -> Any:
    body = {"event": event} | data
    return client.post(f"/workflows/{instance.instance_id}/transitions", body, content_type="application/json")


# -- who may ask ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("path", ["/workflows/", "/workflows/INST-X", "/events/nonsense", "/events/INST"])
@pytest.mark.parametrize("header", ["", "Token hsn_wrong", "Token", "Basic eDp5"])
def test_without_credentials_the_answer_is_401_whether_or_not_the_thing_exists(path: str, header: str):
    answer = Client(headers={"Authorization": header} if header else {}).get(path)
    assert (answer.status_code, list(answer.json())) == (401, ["detail"])
    assert answer["WWW-Authenticate"] == "Token"


def test_moving_without_credentials_is_401(instance):
    assert move(Client(), instance, "pay").status_code == 401
    instance.refresh_from_db()
    assert instance.current_state == "new"


def test_a_token_reaches_as_far_as_its_scopes(instance):
    url = f"/workflows/{instance.instance_id}"
    other = bearer("health:read")
    assert [other.get(path).status_code for path in ("/workflows/", url, "/events/x")] == [403, 403, 403]
    assert move(bearer("workflows:read"), instance, "pay").status_code == 403
    assert bearer("workflows:write").get(url).status_code == 403
    everything = bearer()
    assert [everything.get(url).status_code, move(everything, instance, "pay").status_code] == [200, 200]


def test_a_revoked_token_is_401(reader):
    ApiToken.objects.update(revoked_at=NOW)
    assert reader.get("/workflows/").status_code == 401


def test_staff_may_read_and_only_with_the_permission_move(instance):
    assert person(staff=False).get("/workflows/").status_code == 403
    User.objects.all().delete()
    client = person()
    assert client.get("/workflows/").status_code == 200
    refused = move(client, instance, "pay")
    assert refused.status_code == 403
    User.objects.all().delete()
    assert move(person("change_workflowinstance"), instance, "pay").status_code == 200


def test_a_session_needs_its_csrf_token_to_move(instance):
    user = User.objects.create_superuser("root", password="x")
    client = Client(enforce_csrf_checks=True)
    client.force_login(user)
    assert move(client, instance, "pay").status_code == 403


# -- one instance ---------------------------------------------------------------------------------------------------
def test_an_instance_is_shown_with_its_history_its_tasks_and_what_may_happen_next(reader, instance):
    make_task(task_name="Call Ada", related_workflow_instance=instance, status="To Do", assignee_text="Sales")
    make_task(task_name="Old", related_workflow_instance=instance, archived_at=NOW)
    database = NotionDatabase.objects.create(key="active_workflow_instances")
    NotionPage.objects.create(database=database, object_id=instance.pk, page_id="p1", url="https://www.notion.so/p1")
    engine.advance(instance, "pay", actor="Grace", note="by bank")
    body = reader.get(f"/workflows/{instance.instance_id}").json()
    instance.refresh_from_db()
    plain = {name: value for name, value in body.items() if name not in {"history", "tasks", "updated_at"}}
    assert plain == {
        "instance_id": instance.instance_id,
        "name": "Sale to Ada",
        "workflow": "WF-SALE",
        "workflow_name": "Sale",
        "version": "1.2.0",
        "current_state": "paid",
        "status": "Active",
        "priority": "Medium",
        "contact": {"contact_id": instance.contact.contact_id, "name": "Ada Lovelace", "email": "ada@example.org"},
        "business_entity": "",
        "source_system": "Manual",
        "start_date": _text(instance.start_date),
        "last_transition_date": _text(instance.last_transition_date),
        "end_date": None,
        "error_message": "",
        "notion_url": "https://www.notion.so/p1",
        "allowed_transitions": [{"event": "hold", "to": "paid", "label": "hold", "approval": ""}],
    }
    assert [{**line, "time": None} for line in body["history"]] == [
        {"time": None, "actor": "BookingAgent", "from": "", "to": "new", "event": "started", "note": "a first order"},
        {"time": None, "actor": "Grace", "from": "new", "to": "paid", "event": "pay", "note": "by bank"},
    ]
    assert body["history"][1]["time"] == _text(instance.last_transition_date)
    assert [(task["name"], task["status"], task["assignee"]) for task in body["tasks"]] == [
        ("Call Ada", "To Do", "Sales")
    ]


def _text(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def test_a_trailing_slash_makes_no_difference(reader, instance):
    url = f"/workflows/{instance.instance_id}"
    assert reader.get(url).json() == reader.get(url + "/").json()
    assert reader.get("/workflows").json() == reader.get("/workflows/").json()


def test_an_unknown_instance_is_404(reader, writer):
    answer = reader.get("/workflows/INST-NONE")
    assert (answer.status_code, answer.json()) == (404, {"detail": "No workflow instance has the id 'INST-NONE'."})
    answer = writer.post("/workflows/INST-NONE/transitions", {"event": "pay"}, content_type="application/json")
    assert answer.status_code == 404


def test_an_instance_without_workflow_and_contact_is_shown_too(reader, instance):
    WorkflowInstance.objects.filter(pk=instance.pk).update(workflow=None, contact=None)
    body = reader.get(f"/workflows/{instance.instance_id}").json()
    assert (body["workflow"], body["version"], body["contact"], body["allowed_transitions"]) == ("", "", None, [])


@pytest.mark.parametrize("lines", [1, 4])
def test_an_instance_costs_a_fixed_number_of_queries(
    instance, lines: int, django_assert_max_num_queries, django_assert_num_queries
):
    client = bearer("workflows:read")
    url = f"/workflows/{instance.instance_id}"
    for number in range(lines):
        engine.note(instance, f"line {number}", actor="Grace")
        make_task(related_workflow_instance=instance)
    client.get(url)
    # The token, the instance, its history, its tasks, its page.
    with django_assert_num_queries(5):
        client.get(url)


# -- the list ---------------------------------------------------------------------------------------------------------
def ids(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.json()
    return [row["instance_id"] for row in answer.json()["results"]]


def started(workflow: Workflow, count: int) -> list[str]:
    made = [engine.start(workflow, name=f"Sale {number}", actor="x").instance_id for number in range(count)]
    return made[::-1]


def test_the_list_is_newest_first_page_by_page_and_complete(reader, workflow):
    made = started(workflow, 7)
    found, url = [], "/workflows/?page_size=3"
    pages = []
    while url:
        answer = reader.get(url)
        pages.append(len(ids(answer)))
        found += ids(answer)
        url = answer.json()["next"]
    assert (found, pages) == (made, [3, 3, 1])


def test_a_cursor_that_cannot_be_decoded_is_404(reader, workflow):
    started(workflow, 1)
    assert reader.get("/workflows/?cursor=nonsense").status_code == 404


@pytest.mark.parametrize("written", ["p=abc", "p=\0", "p=None", "p=" + "9" * 30, "p=-1", "p=1.5"])
def test_a_cursor_that_is_none_is_404(reader, workflow, written: str):
    started(workflow, 1)
    cursor = base64.b64encode(written.encode()).decode()
    answer = reader.get("/workflows/", {"cursor": cursor})
    assert (answer.status_code, answer.json()) == (404, {"detail": "Invalid cursor"})


@pytest.mark.parametrize("path", ["/workflows/%00", "/workflows/a%00b/transitions"])
def test_an_id_that_no_database_can_hold_is_unknown(writer, reader, path: str):
    ask = writer.post if path.endswith("transitions") else reader.get
    answer = ask(path, {"event": "pay"}) if path.endswith("transitions") else ask(path)
    assert (answer.status_code, list(answer.json())) == (404, ["detail"])


def test_a_move_that_is_nested_beyond_reading_is_malformed(writer, instance):
    deep = b'{"event": ' + b"[" * 100_000
    answer = writer.post(f"/workflows/{instance.instance_id}/transitions", deep, content_type="application/json")
    assert (answer.status_code, answer.json()) == (400, {"detail": "The JSON is nested too deeply to be read."})


@pytest.mark.parametrize("content_type", ["application/json", "application/x-www-form-urlencoded"])
def test_a_move_that_is_too_large_is_a_413(writer, instance, content_type: str):
    large = b'"' + b"x" * (2 * 1024 * 1024) + b'"'
    answer = writer.post(f"/workflows/{instance.instance_id}/transitions", large, content_type=content_type)
    assert (answer.status_code, answer.json()) == (413, {"detail": "The body is too large."})


@pytest.mark.parametrize("count", [1, 3])
def test_the_list_costs_a_fixed_number_of_queries(workflow, count: int, django_assert_num_queries):
    client = bearer("workflows:read")
    started(workflow, count)
    client.get("/workflows/")
    # The token, the instances, their pages.
    with django_assert_num_queries(3):
        client.get("/workflows/")


def test_the_list_can_be_narrowed(reader, workflow, instance):
    other = make_workflow(
        workflow_id="WF-OTHER", status="Active", initial_state="new", states=STATES, transitions=TRANSITIONS
    )
    catalog.forget()
    (plain,) = started(workflow, 1)
    (foreign,) = started(other, 1)
    engine.advance(WorkflowInstance.objects.get(instance_id=plain), "pay", actor="x")
    engine.change_status(WorkflowInstance.objects.get(instance_id=foreign), "hold", actor="x")
    ada = instance.instance_id
    contact = instance.contact.contact_id
    for query, expected in {
        "": [foreign, plain, ada],
        "status=Active": [plain, ada],
        "status=on hold": [foreign],
        "workflow=WF-OTHER": [foreign],
        "state=paid": [plain],
        "contact=ADA@example.org": [ada],
        f"contact={contact}": [ada],
        "contact=nobody@example.org": [],
        "workflow=WF-SALE&state=new": [ada],
    }.items():
        assert ids(reader.get(f"/workflows/?{query}")) == expected, query


def test_the_list_shows_what_changed_since(reader, workflow):
    newest, older = started(workflow, 2)
    WorkflowInstance.objects.filter(instance_id=older).update(updated_at=NOW, local_change_at=NOW)
    WorkflowInstance.objects.filter(instance_id=newest).update(updated_at=NOW + timedelta(hours=1), local_change_at=NOW)
    for since, expected in {
        "2026-11-23T12:00:00Z": [newest, older],
        "2026-11-23T12:00:01Z": [newest],
        "2026-11-23T13:30:00+01:00": [newest],
        "2026-11-23T13:00:01": [],
    }.items():
        assert ids(reader.get(f"/workflows/?updated_since={since}")) == expected


def test_a_filter_that_cannot_be_read_is_a_field_error(reader):
    answer = reader.get("/workflows/?updated_since=yesterday")
    assert (answer.status_code, list(answer.json())) == (400, ["updated_since"])


def test_archived_instances_are_not_listed(reader, instance):
    instance.archive()
    assert ids(reader.get("/workflows/")) == []


# -- moving -----------------------------------------------------------------------------------------------------------
def test_an_allowed_transition_moves_the_instance_and_is_logged_with_the_tokens_name(writer, instance):
    answer = move(writer, instance, "pay", note="by bank")
    assert answer.status_code == 200
    body = answer.json()
    assert (body["instance_id"], body["current_state"], body["status"]) == (instance.instance_id, "paid", "Active")
    last = body["history"][-1]
    assert (last["actor"], last["event"], last["note"]) == ("token test", "pay", "by bank")
    instance.refresh_from_db()
    assert instance.current_state == "paid"


@pytest.mark.parametrize("event", ["ship", "nonsense", "fail_not"])
def test_a_transition_that_is_not_allowed_from_here_is_a_409_and_changes_nothing(writer, instance, event: str):
    answer = move(writer, instance, event)
    assert answer.status_code == 409
    body = answer.json()
    assert sorted(body) == ["allowed", "current_state", "detail"]
    assert (body["current_state"], body["allowed"]) == ("new", ["pay", "approve", "hold"])
    assert body["detail"].startswith(f"“{event}” is not possible in state “new”")
    instance.refresh_from_db()
    assert (instance.current_state, instance.history.count()) == ("new", 1)


def test_a_transition_whose_condition_is_not_met_is_a_409(writer, instance):
    move(writer, instance, "pay")
    answer = move(writer, instance, "ship")
    assert (answer.status_code, answer.json()["allowed"]) == (409, ["hold"])


def test_hold_and_resume_change_the_status_and_leave_the_state(writer, instance):
    held = move(writer, instance, "hold", note="Ada is away").json()
    assert (held["current_state"], held["status"]) == ("new", "On Hold")
    assert [item["event"] for item in held["allowed_transitions"]] == ["pay", "approve", "resume"]
    assert move(writer, instance, "hold").status_code == 409
    assert move(writer, instance, "resume").json()["status"] == "Active"


def test_an_instance_whose_workflow_is_gone_is_a_409_with_the_reason(writer, instance):
    WorkflowInstance.objects.filter(pk=instance.pk).update(workflow=None)
    answer = move(writer, instance, "pay")
    assert (answer.status_code, answer.json()["allowed"]) == (409, [])
    assert answer.json()["detail"].endswith("has no workflow: choose one for it first.")


@pytest.mark.parametrize("data", [{}, {"event": ""}, {"event": None}, {"event": "pay", "note": "x" * 2001}])
def test_a_move_that_cannot_be_read_is_a_field_error(writer, instance, data: dict[str, Any]):
    url = f"/workflows/{instance.instance_id}/transitions"
    answer = writer.post(url, data, content_type="application/json")
    assert (answer.status_code, list(answer.json())) == (400, ["note" if "note" in data else "event"])


def test_a_transitions_own_permission_is_asked_of_people_and_not_of_tokens(instance, writer):
    client = person("change_workflowinstance")
    refused = move(client, instance, "approve")
    assert (refused.status_code, refused.json()) == (
        403,
        {"detail": "“approve” needs the permission agents_app.delete_workflow."},
    )
    User.objects.get().user_permissions.add(Permission.objects.get(codename="delete_workflow"))
    assert move(client, instance, "approve").status_code == 200


def test_a_token_with_the_scope_may_approve(instance, writer):
    assert move(writer, instance, "approve").json()["status"] == "Completed"


@pytest.mark.parametrize("method", ["get", "put", "delete"])
def test_other_methods_are_not_allowed(instance, method: str):
    answer = getattr(bearer(), method)(f"/workflows/{instance.instance_id}/transitions")
    assert (answer.status_code, list(answer.json())) == (405, ["detail"])


# -- events -----------------------------------------------------------------------------------------------------------
def test_an_event_is_shown_with_what_became_of_it_and_without_what_it_said(reader, django_assert_num_queries):
    made = {"model": "contacts.contact", "id": 7, "label": "Ada"}
    event = InboundEvent.objects.create(
        provider="typeform",
        delivery_key="k",
        event_type="form_response",
        body=b'{"email": "ada@example.org"}',
        received_at=NOW,
        status="processed",
        attempts=2,
        next_attempt_at=None,
        processed_at=NOW + timedelta(seconds=3),
        created=[made],
    )
    reader.get("/events/x")
    with django_assert_num_queries(2):
        answer = reader.get(f"/events/{event.pk}")
    assert (answer.status_code, answer.json()) == (
        200,
        {
            "event_id": str(event.pk),
            "provider": "typeform",
            "event_type": "form_response",
            "status": "processed",
            "attempts": 2,
            "error": "",
            "created": [made | {"id": "7"}],
            "received_at": "2026-11-23T12:00:00Z",
            "next_attempt_at": None,
            "processed_at": "2026-11-23T12:00:03Z",
        },
    )


@pytest.mark.parametrize("event_id", ["0199e2f5-0000-7000-8000-000000000000", "nonsense", "x" * 500])
def test_an_unknown_event_is_404(reader, event_id: str):
    answer = reader.get(f"/events/{event_id}")
    assert (answer.status_code, answer.json()) == (404, {"detail": f"No event has the id '{event_id[:100]}'."})
