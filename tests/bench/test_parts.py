"""The parts of the benchmarks say what is true: figures, targets, deliveries, the load generator, the environment."""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.environment import free_ports, postgres_problem, variables
from bench.leads import leads
from bench.load import Generator, Load
from bench.options import SCENARIOS, Options, parse
from bench.results import Result, percentile, show
from higherself.integrations.delivery import Delivery
from higherself.integrations.registry import PROVIDERS

SECRET = "123456"


@given(st.lists(st.floats(0, 1e6), min_size=1), st.sampled_from([0.5, 0.95, 0.99, 1.0]))
def test_a_percentile_is_the_smallest_value_that_the_share_does_not_exceed(values: list[float], share: float) -> None:
    found = percentile(values, share)
    assert found == min(item for item in values if sum(one <= item for one in values) >= len(values) * share - 1e-9)


def test_a_target_is_met_or_missed_on_the_right_side_of_its_limit() -> None:
    result = Result("intake", "sqlite")
    result.at_least("rate", 800, 800)
    result.at_least("rate", 799.9, 800)
    result.at_most("p99", 200, 200)
    result.at_most("p99", 200.1, 200)
    assert [target.met for target in result.targets] == [True, False, True, False]
    assert result.as_dict()["targets"][0] == {"name": "rate", "value": 800, "at_least": 800, "met": True}


def test_the_table_goes_to_stderr_and_names_what_was_missed(capsys: pytest.CaptureFixture[str]) -> None:
    result = Result("leads", "postgres", figures={"without Notion": {"leads": 1000}}, error="ended with status 1")
    result.at_least("leads/s", 12, 100)
    show([result.as_dict()])
    said = capsys.readouterr()
    assert said.out == ""
    assert [word in said.err for word in ("MISSED", "≥ 100", "1,000", "ended with status 1")] == [True] * 4


@pytest.mark.django_db
def test_the_deliveries_are_genuine_distinct_and_as_large_as_typeforms_are() -> None:
    made = list(leads(50, SECRET, "t"))
    typeform = PROVIDERS["typeform"]
    deliveries = [
        Delivery(lead.body, {"typeform-signature": lead.signature}, content_type="application/json") for lead in made
    ]
    assert [typeform.verify(delivery) for delivery in deliveries] == [True] * 50
    assert len({typeform.delivery_key(delivery) for delivery in deliveries}) == 50
    assert len({json.dumps(typeform.parse(delivery)[0].data["answers"][2]) for delivery in deliveries}) == 50
    assert {4500 <= len(lead.body) <= 5500 for lead in made} == {True}


class _Server(BaseHTTPRequestHandler):
    """Accepts, but answers every tenth request with 500 and breaks the connection at every eleventh."""

    protocol_version = "HTTP/1.1"
    seen: list[bytes]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.seen.append(body)
        number = len(self.seen)
        if number % 11 == 0:
            self.close_connection = True
            return
        answer = json.dumps({"event_id": str(uuid.uuid4()), "status": "accepted"}).encode()
        self.send_response(500 if number % 10 == 0 else 202)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_args: Any) -> None: ...


@pytest.fixture
def server() -> Iterator[tuple[int, list[bytes]]]:
    seen: list[bytes] = []
    handler = type("Handler", (_Server,), {"seen": seen})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as serving:
        threading.Thread(target=serving.serve_forever, daemon=True).start()
        yield serving.server_address[1], seen
        serving.shutdown()


@pytest.mark.parametrize("rate", [0.0, 2000.0])
def test_the_load_generator_sends_each_delivery_once_and_counts_every_answer(
    server: tuple[int, list[bytes]], rate: float
) -> None:
    port, seen = server
    outcome = Generator(Load(port, SECRET, "g", 1, 110, 60.0, rate)).run()
    assert sorted(seen) == sorted(lead.body for lead in leads(110, SECRET, "g"))
    # 10 of 110 are broken off; 500 are those divisible by ten but not by eleven.
    assert (len(outcome.accepted), outcome.errors) == (90, {"0": 10, "500": 10})
    assert len(set(outcome.accepted)) == 90
    assert len(outcome.took) == 90


def test_a_scenario_sees_nothing_of_the_users_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("NOTION_API_TOKEN", "ntn_real")
    monkeypatch.setenv("DATABASE_URL", "postgresql://production/db")
    found = variables(tmp_path, "sqlite:///x")
    assert (found.get("NOTION_API_TOKEN"), found["DATABASE_URL"], found["VAR_DIR"]) == (
        None,
        "sqlite:///x",
        str(tmp_path),
    )


def test_what_is_not_said_on_the_command_line_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BENCH_SECONDS", "3")
    monkeypatch.setenv("BENCH_SCENARIOS", "sync leads")
    assert parse([]) == Options(scenarios=("sync", "leads"), seconds=3.0)
    assert parse(["intake", "--backend", "sqlite", "--seconds", "1", "--scale", "0.5"]) == Options(
        ("intake",), ("sqlite",), 1.0, 0.5
    )


def test_an_unknown_scenario_is_refused_with_the_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse(["outtake"])
    said = capsys.readouterr().err.strip().splitlines()[-1]
    assert said.endswith(f": error: no scenario is called outtake; there are {', '.join(SCENARIOS)}")


def test_a_postgresql_that_does_not_answer_is_named_with_the_reason() -> None:
    (port,) = free_ports(1)
    problem = postgres_problem(f"postgresql://nobody@127.0.0.1:{port}")
    assert problem.startswith(f"no PostgreSQL at postgresql://nobody@127.0.0.1:{port}: ")
