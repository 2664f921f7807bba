"""Each scenario, run as small as can be, does its work and reports what it promises. No figure is judged here."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

# One process measures for all of them.
pytestmark = pytest.mark.xdist_group("bench")
ROOT = Path(__file__).parents[2]
TARGETS = {
    "intake": [
        "deliveries/s at 64 connections",
        "p99 at 64 connections, ms",
        "refused or broken",
        "accepted and lost",
    ],
    "leads": ["leads/s with 2 workers", "leads/s while pushing to Notion", "leads that lack a row"],
    "bookings": ["events/s with 2 workers", "sales that lack a row"],
    "flows": [
        "community, events/s with 2 workers",
        "newsletter, events/s with 2 workers",
        "content, events/s with 2 workers",
        "feedback, events/s with 2 workers",
        "tasks done/s, one process",
        "people who lack a row",
    ],
    "latency": ["p95 stored to processed, s", "refused or broken"],
    "segments": [
        "slowest evaluation, s",
        "peak memory, MB",
        "differences when nothing changed",
        "contacts wrongly in or out",
    ],
    "sync": [
        "first pull, requests to those needed",
        "nothing changed, requests",
        "nothing changed, writes",
        "peak memory at 120 pages, MB",
        "unchanged pages/s",
        "changed pages/s",
        "push, requests to changed pages",
        "one lead, writes beyond pages made",
    ],
    "console": ["slowest page, p95 ms", "pages that were not answered with 200"],
    "pace": ["share of the permitted pace used", "429 answers"],
}
# What depends neither on how busy the machine is nor on how little is measured.
COUNTED = {
    "refused or broken",
    "accepted and lost",
    "leads that lack a row",
    "sales that lack a row",
    "people who lack a row",
    "first pull, requests to those needed",
    "nothing changed, requests",
    "nothing changed, writes",
    "one lead, writes beyond pages made",
    "429 answers",
    "differences when nothing changed",
    "contacts wrongly in or out",
}


@pytest.fixture(scope="module")
def report() -> dict[str, Any]:
    backend = "postgres" if connection.vendor == "postgresql" else "sqlite"
    command = [sys.executable, "-m", "bench", *TARGETS, "--backend", backend, "--seconds", "0.5", "--scale", "0.012"]
    done = subprocess.run(command, cwd=ROOT, env=os.environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def result_of(report: dict[str, Any], scenario: str) -> dict[str, Any]:
    (found,) = [result for result in report["results"] if result["scenario"] == scenario]
    return found


def test_the_document_says_what_was_run_and_on_what(report: dict[str, Any]) -> None:
    assert sorted(report) == ["machine", "options", "results", "skipped", "started_at"]
    assert sorted(report["machine"]) == ["cores", "load_at_start", "processor", "python", "system"]
    assert [result["scenario"] for result in report["results"]] == list(TARGETS)


@pytest.mark.skipif("PYTEST_XDIST_WORKER" not in os.environ, reason="one process has no groups")
def test_groups_of_tests_are_kept_on_one_process(request: pytest.FixtureRequest) -> None:
    assert request.node.nodeid.endswith("@bench")


@pytest.mark.parametrize("scenario", TARGETS)
def test_a_scenario_reports_its_figures_and_judges_them(report: dict[str, Any], scenario: str) -> None:
    result = result_of(report, scenario)
    assert sorted(result) == ["backend", "database", "error", "figures", "scenario", "targets"]
    assert [target["name"] for target in result["targets"]] == TARGETS[scenario]
    assert result["figures"] != {}


@pytest.mark.parametrize("scenario", TARGETS)
def test_what_is_counted_and_not_timed_is_met_at_any_size(report: dict[str, Any], scenario: str) -> None:
    missed = [t["name"] for t in result_of(report, scenario)["targets"] if t["name"] in COUNTED and not t["met"]]
    assert missed == []


@pytest.mark.parametrize("scenario", TARGETS)
def test_every_commit_was_durable(report: dict[str, Any], scenario: str) -> None:
    database = result_of(report, scenario)["database"]
    if result_of(report, scenario)["backend"] == "sqlite":
        assert (database["journal_mode"], database["synchronous"]) == ("wal", "FULL")
    else:
        assert (database["fsync"], database["synchronous_commit"]) == ("on", "on")
