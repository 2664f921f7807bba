"""How the commands for Notion end when they cannot run, and how several databases are named."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, ProgrammingError

from notion_sync.management.stopping import stops_with_2

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.mark.parametrize(
    "error", [OperationalError("no such table: x"), ProgrammingError('relation "x" is not there\nLINE 1')]
)
def test_a_database_that_cannot_be_used_is_said_in_a_sentence_with_exit_code_2(error: Exception):
    with (
        pytest.raises(
            CommandError, match=r"\AStopped: The database cannot be used: .* has `manage.py migrate`"
        ) as caught,
        stops_with_2("Stopped: "),
    ):
        raise error
    assert caught.value.returncode == 2


@pytest.mark.parametrize("command", ["sync_notion", "check_notion", "setup_notion"])
@pytest.mark.parametrize(
    ("variables", "said"),
    [
        (
            {"NOTION_VERSION": "1"},
            "The configuration cannot be used: NOTION_VERSION='1': use 2026-03-11 or 2025-09-03\n",
        ),
        ({"SECRET_KEY": ""}, "The configuration cannot be used: SECRET_KEY is not set."),
        ({}, "no such table"),
    ],
)
def test_a_command_that_cannot_begin_ends_with_2_and_without_a_traceback(
    tmp_path, command: str, variables: dict[str, str], said: str
):
    environment = {
        "PATH": os.environ["PATH"],
        "HIGHERSELF_ENV_FILE": os.devnull,
        "SECRET_KEY": "of-this-test",
        "VAR_DIR": str(tmp_path),
        **variables,
    }
    ended = subprocess.run(
        [sys.executable, "manage.py", command], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert (ended.returncode, ended.stdout) == (2, "")
    assert said in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    "words",
    [
        ["--database", "contacts_profiles", "master_tasks"],
        ["--database", "contacts_profiles", "--database", "master_tasks"],
    ],
)
@pytest.mark.django_db
def test_several_databases_are_named_after_one_option_or_several(notion, words: list[str]):
    out = StringIO()
    call_command("sync_notion", *words, "--format", "json", stdout=out, stderr=StringIO())
    assert list(json.loads(out.getvalue().splitlines()[-1])["databases"]) == ["contacts_profiles", "master_tasks"]
