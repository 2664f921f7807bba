"""Spreadsheets out and in: nothing calculated, nothing unasked, nothing silently lost."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook

from agents_app.models import Task, WorkflowInstance
from contacts.models import Contact
from higherself.core import history
from higherself.core.exchange import sheets, work
from higherself.core.models import ImportRun, SavedFilter
from higherself.core.roles import MARKETING, OPERATOR, OWNER, VIEWER
from tests import factories

pytestmark = pytest.mark.django_db
LIST = "/admin/contacts/contact/"


def _csv(answer: Any) -> list[dict[str, str]]:
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


def _upload(client: Client, text: str | bytes, name: str = "people.csv", url: str = LIST) -> ImportRun:
    content = text.encode() if isinstance(text, str) else text
    answer = client.post(f"{url}import/", {"file": SimpleUploadedFile(name, content)})
    assert answer.status_code == 302, answer.context["form"].errors
    return ImportRun.objects.order_by("-pk")[0]


def _import(client: Client, run: ImportRun) -> ImportRun:
    client.post(reverse("admin:core_importrun_do", args=[run.pk, "carry_out"]))
    run.refresh_from_db()
    return run


# -- cells ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("text", ["=1+1", "+49 30", "-1", "@SUM(A1)", "\tx", "\rx"])
def test_no_cell_is_calculated(text: str):
    assert sheets.safe(text) == f"'{text}"
    assert sheets.unsafe(sheets.safe(text)) == text


@given(st.text(alphabet=st.characters(blacklist_categories=["Cs", "Cc"])))
def test_a_safe_cell_comes_back_as_it_was_unless_it_was_quoted_already(text: str):
    if not text.startswith("'"):
        assert sheets.unsafe(sheets.safe(text)) == text
    assert not str(sheets.safe(text)).startswith(("=", "+", "-", "@", "\t", "\r"))


def test_numbers_stay_numbers():
    assert sheets.safe(-3) == -3


# -- export ---------------------------------------------------------------------------------------------------------
def test_an_export_has_what_the_filters_show_and_no_formulas(staff: Callable[..., Client]):
    entity = factories.make_business_entity(entity_key="the_7_space")
    kept = factories.make_contact(
        full_name="=cmd|' /C calc'!A0", phone="+44 1", status="Active Client", tags=["VIP", "Artist"]
    )
    kept.business_entities.add(entity)
    factories.make_contact(full_name="Other", status="Active Lead")

    rows = _csv(staff(OPERATOR).get(f"{LIST}export/csv/?status=Active+Client"))

    assert len(rows) == 1
    assert (rows[0]["full_name"], rows[0]["phone"]) == ("'=cmd|' /C calc'!A0", "'+44 1")
    assert (rows[0]["tags"], rows[0]["business_entities"]) == ("VIP, Artist", "the_7_space")
    assert (rows[0]["contact_id"], rows[0]["email_opt_in"]) == (kept.contact_id, "no")


def test_an_export_costs_the_same_queries_for_one_record_and_for_thirty(staff: Callable[..., Client]):
    client, entity = staff(OPERATOR), factories.make_business_entity()
    costs = []
    for number in (1, 29):
        for _ in range(number):
            factories.make_contact(status="Active Client").business_entities.add(entity)
        with CaptureQueriesContext(connection) as captured:
            _csv(client.get(f"{LIST}export/csv/?status=Active+Client"))
        costs.append(len(captured))

    assert costs[0] == costs[1]


def test_a_workbook_has_the_same_rows(staff: Callable[..., Client]):
    factories.make_contact(full_name="-2+3", status="Active Client")

    answer = staff(OPERATOR).get(f"{LIST}export/xlsx/?status=Active+Client")

    book = load_workbook(io.BytesIO(b"".join(answer.streaming_content)), read_only=True)
    heading, row = [list(line) for line in book.worksheets[0].iter_rows(values_only=True)]
    assert dict(zip(heading, row, strict=True))["full_name"] == "'-2+3"


def test_exporting_needs_its_permission_and_everything_needs_the_password(staff: Callable[..., Client]):
    factories.make_contact()
    operator, viewer = staff(OPERATOR), staff(VIEWER)

    assert viewer.get(f"{LIST}export/csv/").status_code == 403
    assert "export/csv" not in viewer.get(LIST).content.decode()
    assert operator.get(f"{LIST}export/csv/").status_code == 200
    with time_machine.travel(timezone.now() + timedelta(minutes=11)):
        assert operator.get(f"{LIST}export/csv/")["Location"].startswith("/admin/confirm/")
        assert operator.get(f"{LIST}export/csv/?status=Active+Lead").status_code == 200


# -- import ---------------------------------------------------------------------------------------------------------
def test_a_preview_says_what_would_happen_and_changes_nothing(staff: Callable[..., Client]):
    factories.make_business_entity(name="The 7 Space", entity_key="the_7_space")
    ada = factories.make_contact(full_name="Ada", email="ada@example.org", phone="1")
    factories.make_contact(full_name="Same", email="same@example.org", city="Oslo")
    rows = [
        "email,Full name,phone,city,business_entities,lead_score,colour,next_follow_up_date",
        "ADA@example.org,Ada,'+44 2,,the_7_space,9,red,2026-05-04",
        "new@example.org,New Person,,Rome,The 7 Space,,,",
        "same@example.org,Same,,Oslo,,,,",
        "not-an-address,Bad,,,,,,",
        "x@example.org,X,,,Nowhere,,,soon",
        "new@example.org,Again,,,,,,",
    ]

    run = _upload(staff(OPERATOR), "\n".join(rows))

    assert (run.state, run.counts) == ("ready", {"changed": 1, "created": 1, "unchanged": 1, "refused": 3})
    assert run.remarks == [
        "The column “lead_score” is kept by the server and is left out.",
        "The column “colour” is not known and is left out.",
    ]
    assert run.sample[0]["changes"] == {
        "phone": ["1", "+44 2"],
        "business_entities": ["", "The 7 Space"],
        "next_follow_up_date": ["", "2026-05-04"],
    }
    assert [row["row"] for row in run.refused] == [5, 6, 7]
    assert run.refused[0]["reasons"] == ["e-mail: Enter a valid email address."]
    assert run.refused[1]["reasons"][0] == "business entities: there is no “Nowhere”"
    assert run.refused[2]["reasons"] == ["row 3 of the file is about the same record"]
    ada.refresh_from_db()
    assert (ada.phone, Contact.objects.count()) == ("1", 2)


def test_an_import_goes_through_the_records_own_save_and_reaches_notion(staff: Callable[..., Client]):
    entity = factories.make_business_entity(entity_key="the_7_space")
    ada = factories.make_contact(full_name="Ada", email="ada@example.org", phone="1")
    Contact._base_manager.update(local_change_at=None)
    client = staff(OPERATOR)
    run = _upload(
        client, "email;full_name;phone;business_entities\nada@example.org;;2;the_7_space\nb@example.org;B;;\n"
    )

    run = _import(client, run)

    ada.refresh_from_db()
    new = Contact.objects.get(email="b@example.org")
    assert (run.state, run.counts, bytes(run.content)) == ("done", {"changed": 1, "created": 1}, b"")
    assert (ada.phone, ada.full_name, list(ada.business_entities.all())) == ("2", "Ada", [entity])
    assert ada.local_change_at is not None
    assert (new.full_name, new.sync_origin) == ("B", "Import")
    noted = history.of(ada)[0]
    assert (noted.actor, noted.origin) == ("operator", "import")
    assert noted.changes == {"phone": ["1", "2"], "business_entities": {"added": [entity.pk], "removed": []}}


def test_pressing_import_twice_imports_once(staff: Callable[..., Client]):
    client = staff(OPERATOR)
    run = _import(client, _upload(client, "email,full_name\nb@example.org,B\n"))
    Contact.objects.all().delete()

    _import(client, run)

    assert Contact.objects.count() == 0


def test_what_was_exported_is_imported_without_a_change(staff: Callable[..., Client]):
    client, entity = staff(OPERATOR), factories.make_business_entity()
    contact = factories.make_contact(
        full_name="-Dash",
        phone="+44 20",
        tags=["VIP"],
        consent_at=timezone.now().replace(microsecond=0),
        email_opt_in=True,
    )
    contact.business_entities.add(entity)
    exported = b"".join(client.get(f"{LIST}export/csv/").streaming_content)

    run = _upload(client, exported)

    assert (run.counts, run.refused) == ({"unchanged": 1}, [])


def test_a_workbook_is_imported_too(staff: Callable[..., Client]):
    book = Workbook()
    book.active.append(["task_id", "task_name", "due_date", "estimated_time"])
    task = factories.make_task(task_name="Call", estimated_time=5)
    book.active.append([task.task_id, "Call back", "2026-05-04 10:00", 20])
    book.save(target := io.BytesIO())
    client = staff(OPERATOR)

    run = _import(client, _upload(client, target.getvalue(), "t.xlsx", "/admin/agents_app/task/"))

    task = Task.objects.get(pk=task.pk)
    assert run.counts == {"changed": 1}
    assert (task.task_name, task.estimated_time, task.due_date.isoformat()) == (
        "Call back",
        20,
        "2026-05-04T10:00:00+00:00",
    )


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.csv", "email\n\xff".encode("latin-1"), "not UTF-8"),
        ("a.xlsx", b"no zip", "no XLSX workbook"),
        ("a.csv", b"colour\nred\n", "No column of the first row"),
        ("a.csv", b'email\n"open', "no CSV"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(staff: Callable[..., Client], name: str, content: bytes, said: str):
    run = _upload(staff(OPERATOR), content, name)

    assert run.state == "failed"
    assert said in " ".join(run.remarks)


def test_a_long_file_is_worked_on_by_the_job_and_goes_on_where_it_stopped(
    staff: Callable[..., Client], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(work, "SHORT", 10)
    monkeypatch.setattr(work, "_LONGEST", -1.0)
    monkeypatch.setattr("higherself.core.exchange.work.CHUNK", 2)
    client = staff(OPERATOR)
    run = _upload(client, "email\n" + "\n".join(f"p{number}@example.org" for number in range(5)))
    assert run.state == "reading"

    states = []
    for _ in range(8):
        work.work_through()
        run.refresh_from_db()
        states.append((run.state, run.position))
        if run.state == "ready":
            _import(client, run)

    read = [("reading", 2), ("reading", 4), ("reading", 5), ("ready", 0)]
    assert states == [*read, ("waiting", 2), ("waiting", 4), ("waiting", 5), ("done", 5)]
    assert (Contact.objects.count(), run.counts) == (5, {"created": 5})


def test_instances_are_changed_by_import_and_never_made(staff: Callable[..., Client]):
    run = _upload(staff(OPERATOR), "instance_id,instance_name\n,New\n", url="/admin/agents_app/workflowinstance/")

    assert run.refused[0]["reasons"] == ["there is no such record, and this kind is not made by import"]
    assert WorkflowInstance.objects.count() == 0


def test_a_workflow_that_could_not_run_is_refused(staff: Callable[..., Client]):
    from agents_app.models import Workflow
    from agents_app.seeds.planting import plant

    plant()
    workflow = Workflow.objects.get(workflow_id="WF-RETREAT-BOOKING")
    text = f"workflow_id,initial_state\n{workflow.workflow_id},nowhere\n"
    run = _upload(staff(OWNER), text, url="/admin/agents_app/workflow/")

    assert run.counts == {"refused": 1}


def test_importing_needs_the_right_to_add_and_change_that_kind(staff: Callable[..., Client]):
    viewer, marketing = staff(VIEWER), staff(MARKETING)

    assert viewer.get(f"{LIST}import/").status_code == 403
    assert marketing.get(f"{LIST}import/").status_code == 200
    assert marketing.get("/admin/bookings/product/import/").status_code == 403
    run = _upload(marketing, "email\na@example.org\n")
    ImportRun.objects.filter(pk=run.pk).update(model="bookings.product")
    _import(marketing, run)
    assert ImportRun.objects.get(pk=run.pk).state == "ready"


def test_people_see_their_own_imports_and_owners_see_all(staff: Callable[..., Client]):
    run = _upload(staff(OPERATOR), "email\na@example.org\n")
    url = reverse("admin:core_importrun_change", args=[run.pk])

    assert [staff(role, f"x{role}").get(url).status_code for role in (OPERATOR, OWNER)] == [302, 200]


def test_a_preview_costs_the_same_queries_for_one_new_record_as_for_thirty_of_known_relations(
    staff: Callable[..., Client],
):
    client = staff(OPERATOR)
    entity = factories.make_business_entity(entity_key="the_7_space")
    costs = []
    for number in (1, 30):
        rows = [f"u{number}x{one}@example.org,the_7_space" for one in range(number)]
        for one in range(number):
            made = factories.make_contact(email=f"u{number}x{one}@example.org")
            made.business_entities.add(entity)
        with CaptureQueriesContext(connection) as captured:
            run = _upload(client, "email,business_entities\n" + "\n".join(rows))
        assert run.counts == {"unchanged": number}
        costs.append(len(captured))

    assert costs[0] == costs[1]


# -- saved filters --------------------------------------------------------------------------------------------------
def _keep(client: Client, name: str, query: str, **more: str) -> Any:
    return client.post("/admin/saved-filters/", {"model": "contacts.contact", "name": name, "query": query, **more})


def test_a_filter_is_kept_for_oneself_or_shared(staff: Callable[..., Client]):
    one, other = staff(OPERATOR), staff(VIEWER)

    answer = _keep(one, "Clients", "status=Active+Client&p=3&o=-1")
    _keep(one, "All leads", "status=Active+Lead", shared="on")

    assert answer["Location"] == f"{LIST}?status=Active+Client&o=-1"
    seen = [[item.name for item in client.get(LIST).context["saved_filters"]] for client in (one, other)]
    assert seen == [["All leads", "Clients"], ["All leads"]]


def test_the_same_name_again_replaces_the_filter(staff: Callable[..., Client]):
    client = staff(OPERATOR)
    _keep(client, "Clients", "status=A")
    _keep(client, "Clients", "status=B")

    assert list(SavedFilter.objects.values_list("query", flat=True)) == ["status=B"]


def test_one_removes_ones_own_and_an_owner_removes_shared_ones(staff: Callable[..., Client]):
    one, other, owner = staff(OPERATOR), staff(MARKETING), staff(OWNER)
    _keep(one, "Shared", "a=1", shared="on")
    _keep(one, "Private", "a=2")
    shared, private = SavedFilter.objects.get(name="Shared"), SavedFilter.objects.get(name="Private")
    url = "/admin/saved-filters/%d/forget/"

    assert other.post(url % shared.pk).status_code == 403
    assert owner.post(url % private.pk).status_code == 403
    assert owner.post(url % shared.pk).status_code == 302
    assert one.post(url % private.pk).status_code == 302
    assert SavedFilter.objects.count() == 0


def test_a_filter_of_a_list_that_one_may_not_see_is_refused(staff: Callable[..., Client]):
    answer = staff(MARKETING).post("/admin/saved-filters/", {"model": "auth.user", "name": "x", "query": ""})

    assert answer.status_code == 403
