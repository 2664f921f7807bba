"""`setup_notion` and `check_notion`, as an operator runs them."""

from __future__ import annotations

from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from notion_sync.mappings import MAPPINGS
from notion_sync.models import NotionDatabase
from notion_sync.sandbox import Sandbox
from tests.factories import make_contact

CONTACTS, TASKS = "Contacts & Profiles", "Master Tasks"


@pytest.fixture
def empty(settings: Any, db: None) -> Any:
    """A local Notion without any database."""
    with Sandbox() as sandbox:
        settings.NOTION_BASE_URL, settings.NOTION_API_TOKEN = sandbox.url, sandbox.token
        yield sandbox


def run(name: str, *arguments: str) -> tuple[int, str, str]:
    """Exit status, stdout and stderr."""
    out, err = StringIO(), StringIO()
    try:
        call_command(name, *arguments, stdout=out, stderr=err)
    except SystemExit as done:
        return int(done.code or 0), out.getvalue(), err.getvalue()
    except CommandError as error:
        return error.returncode, out.getvalue(), str(error)
    return 0, out.getvalue(), err.getvalue()


def source(key: str) -> str:
    return NotionDatabase.objects.get(key=key).data_source_id


def test_everything_is_created_once_and_the_second_run_does_nothing(empty: Sandbox) -> None:
    status, out, _ = run("setup_notion", "--parent", empty.root_page_id)
    assert status == 0
    assert len([line for line in out.splitlines() if line.startswith("NOTION_") and line.count("-") == 4]) == 16
    writes = [request for request in empty.requests if request[0] == "PATCH" or request[1] == "/v1/databases"]
    assert len([one for one in writes if one[1] == "/v1/databases"]) == 16
    empty.requests.clear()
    assert run("setup_notion")[1].splitlines()[0] == "Nothing to do: the 16 databases are complete."
    assert [request for request in empty.requests if request[0] != "GET"] == []
    assert run("check_notion")[0] == 0


def test_a_dry_run_writes_nothing_on_either_side(empty: Sandbox) -> None:
    status, out, _ = run("setup_notion", "--parent", empty.root_page_id, "--dry-run")
    assert status == 0
    assert out.splitlines()[0] == "Would create the database “Business Entities Registry”"
    assert NotionDatabase.objects.count() == 0
    assert [request for request in empty.requests if request[0] in {"PATCH"} or request[1] == "/v1/databases"] == []


def test_a_run_that_was_cut_off_goes_on_with_what_is_there(empty: Sandbox) -> None:
    empty.faults.add("restricted", method="POST", path="/v1/databases", skip=5)
    assert run("setup_notion", "--parent", empty.root_page_id)[0] == 2
    NotionDatabase.objects.all().delete()
    status, out, _ = run("setup_notion", "--parent", empty.root_page_id)
    assert (status, out.count("adopt the database"), out.count("create the database")) == (0, 5, 11)


@pytest.mark.parametrize("fault", ["unavailable_saved", "drop_after", "gateway_timeout_saved", "unavailable"])
def test_a_database_whose_answer_is_lost_is_not_created_twice(empty: Sandbox, fault: str) -> None:
    empty.faults.add(fault, method="POST", path="/v1/databases", skip=3)
    assert run("setup_notion", "--parent", empty.root_page_id)[0] == 0
    assert sorted(empty.data_source_id(m.title) for m in MAPPINGS.values()) == sorted(
        NotionDatabase.objects.values_list("data_source_id", flat=True)
    )


def test_the_variables_are_written_into_an_env_file_and_its_other_lines_stay(notion: Sandbox, tmp_path: Path) -> None:
    file = tmp_path / "env"
    file.write_text("# mine\nOWN=1\n#NOTION_MASTER_TASKS_DB=\n")
    run("setup_notion", "--write-env", str(file))
    lines = file.read_text().splitlines()
    tasks = NotionDatabase.objects.get(key="master_tasks").database_id
    assert lines[:3] == ["# mine", "OWN=1", f"NOTION_MASTER_TASKS_DB={tasks}"]
    assert len([line for line in lines if line.startswith("NOTION_")]) == 16


def test_drift_is_shown_and_mended(notion: Sandbox) -> None:
    notion.person.delete_property(CONTACTS, "Phone")
    notion.person.rename_property(CONTACTS, "City", "Town")
    status, out, _ = run("check_notion")
    assert status == 1
    assert [line for line in out.splitlines() if "Phone" in line and "missing (phone_number)" in line] != []
    assert "“City” is called “Town” there, which is fine." in out
    assert run("setup_notion")[0] == 0
    assert run("check_notion")[0] == 0


def test_a_retyped_property_needs_a_person_and_is_not_touched(notion: Sandbox) -> None:
    notion.person.change_schema(CONTACTS, {"City": {"number": {}}})
    status, _, err = run("setup_notion")
    assert status == 1
    assert "“City” is of type number, expected rich_text" in err
    assert notion.person.source(CONTACTS).properties is not None


def test_a_relation_deleted_in_notion_is_made_again_beside_what_is_left_of_it(notion: Sandbox) -> None:
    notion.person.delete_property(TASKS, "Related Contact")
    status, _, err = run("setup_notion")
    assert (status, "has another property called “Tasks”" in err) == (1, True)
    assert run("check_notion")[0] == 0


def test_a_database_that_is_not_shared_is_never_replaced_unasked(notion: Sandbox) -> None:
    row = NotionDatabase.objects.get(key="contacts_profiles")
    notion.unshare(row.database_id)
    status, out, err = run("setup_notion")
    assert (status, "create the database" in out) == (1, False)
    assert "“Contacts & Profiles” cannot be opened" in err
    assert NotionDatabase.objects.get(key="contacts_profiles").database_id == row.database_id
    notion.share(row.database_id)
    assert run("setup_notion")[0] == 0


def test_a_database_that_is_gone_for_good_is_made_anew_when_asked(notion: Sandbox) -> None:
    old = NotionDatabase.objects.get(key="use_cases").database_id
    notion.unshare(old)
    status, out, _ = run("setup_notion", "--parent", notion.root_page_id, "--recreate", "use_cases")
    assert "create the database “Use Cases Library”" in out
    assert NotionDatabase.objects.get(key="use_cases").database_id != old
    assert status in {0, 1}


def test_a_wrong_token_and_a_notion_that_is_away_end_with_2(notion: Sandbox, settings: Any) -> None:
    settings.NOTION_API_TOKEN = "wrong"
    assert {run(name)[0] for name in ("setup_notion", "check_notion", "sync_notion")} == {2}


def test_one_problem_is_told_once(notion: Sandbox) -> None:
    make_contact()
    notion.unshare(NotionDatabase.objects.get(key="contacts_profiles").database_id)
    status, out, err = run("sync_notion", "--format", "json")
    assert (status, err.count("Contacts & Profiles")) == (1, 1)
    assert '"errors": 1' in out
