"""The running server, killed without warning in the middle of its work: nothing is lost and nothing done twice."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

ROOT = Path(__file__).resolve().parents[2]
SECRET = "crash-test-secret"
LEADS = 200
# How long the whole work may take on a slow machine; reached only when something hangs. Seconds.
PATIENCE = 180

_COUNTS = """
import json
from agents_app.models import Task, WorkflowInstance
from contacts.models import Contact
from higherself.integrations.models import InboundEvent
from notion_sync.health import queue
from notion_sync.models import NotionPage, SyncConflict
from django.core.cache import cache
cache.clear()
people = Contact.objects.filter(email__startswith="lead")
print(json.dumps({
    "events": InboundEvent.objects.filter(status="processed").count(),
    "unfinished": InboundEvent.objects.filter(next_attempt_at__isnull=False).count(),
    "contacts": people.count(),
    "instances": WorkflowInstance.objects.count(),
    "tasks": Task.objects.count(),
    "waiting": queue().waiting,
    "pages": NotionPage.objects.filter(database_id="contacts_profiles", page_id__isnull=False).count(),
    "conflicts": SyncConflict.objects.count(),
}))
"""


class Server:
    """`manage.py serve` with a database, a sandbox and ports of its own."""

    def __init__(self, folder: Path, database: str) -> None:
        self.port, self.sandbox_port = _free_port(), _free_port()
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("NOTION_")} | {
            "HIGHERSELF_ENV_FILE": "/nonexistent",
            "DJANGO_SETTINGS_MODULE": "higherself.settings",
            "SECRET_KEY": "crash-" * 10,
            "TYPEFORM_WEBHOOK_SECRET": SECRET,
            "DATABASE_URL": database,
            "VAR_DIR": str(folder),
            "SERVER_PORT": str(self.port),
            "SANDBOX_PORT": str(self.sandbox_port),
            "NOTION_API_TOKEN": "",
            "WORKER_PROCESSES": "2",
            "LOG_LEVEL": "ERROR",
        }
        self.log = (folder / "serve.log").open("w")
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Server:
        command = [sys.executable, "manage.py", "serve", "--first-run"]
        self.process = subprocess.Popen(command, cwd=ROOT, env=self.environment, stdout=self.log, stderr=self.log)
        wait_until(lambda: self.answers("/health/live"), "the server to start")
        return self

    def __exit__(self, *_exc: object) -> None:
        assert self.process is not None
        self.process.terminate()
        self.process.wait(60)
        self.log.close()

    def answers(self, path: str) -> bool:
        try:
            return bool(urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5).status == 200)
        except OSError:
            return False

    def children(self, word: str) -> list[int]:
        """The supervisor's own children whose command line holds the word."""
        assert self.process is not None
        found = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return [int(pid) for pid in found if word in Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")]

    def kill(self, word: str) -> None:
        for pid in self.children(word):
            os.killpg(pid, signal.SIGKILL)

    def submit(self, number: int) -> int:
        """One signed lead; the status of the answer, or 0 when there was none."""
        body = _lead(number)
        digest = base64.b64encode(hmac.new(SECRET.encode(), body, hashlib.sha256).digest()).decode()
        headers = {"Content-Type": "application/json", "Typeform-Signature": f"sha256={digest}"}
        url = f"http://127.0.0.1:{self.port}/webhooks/typeform"
        try:
            return int(urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=20).status)
        except OSError:
            return 0

    def counts(self) -> dict[str, int]:
        command = [sys.executable, "manage.py", "shell", "-v0", "-c", _COUNTS]
        done = subprocess.run(command, cwd=ROOT, env=self.environment, capture_output=True, text=True, check=True)
        return dict(json.loads(done.stdout.splitlines()[-1]))

    def pages(self, title: str) -> list[dict[str, Any]]:
        """Every page of one database, asked from the sandbox as any client asks Notion."""
        source = self._notion("search", {"query": title, "filter": {"property": "object", "value": "data_source"}})
        found = next(item for item in source["results"] if item["title"][0]["plain_text"] == title)
        pages: list[dict[str, Any]] = []
        body: dict[str, Any] = {}
        while True:
            answer = self._notion(f"data_sources/{found['id']}/query", body)
            pages += answer["results"]
            if not answer["has_more"]:
                return pages
            body = {"start_cursor": answer["next_cursor"]}

    def _notion(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        headers = {
            "Authorization": "Bearer local-sandbox",
            "Notion-Version": "2026-03-11",
            "Content-Type": "application/json",
        }
        url = f"http://127.0.0.1:{self.sandbox_port}/v1/{path}"
        request = urllib.request.Request(url, json.dumps(body).encode(), headers)
        return dict(json.load(urllib.request.urlopen(request, timeout=20)))


@pytest.fixture
def database_url(tmp_path: Path) -> Iterator[str]:
    """A database of the server's own, of the kind that the suite runs on."""
    if connection.vendor == "sqlite":
        yield f"sqlite:///{tmp_path / 'crash.sqlite3'}"
        return
    import psycopg

    given = connection.settings_dict
    name = f"crash_{os.getpid()}"
    admin = psycopg.connect(host=given["HOST"], port=given["PORT"] or 5432, user=given["USER"], dbname="postgres")
    admin.autocommit = True
    admin.execute(f'DROP DATABASE IF EXISTS "{name}"')
    admin.execute(f'CREATE DATABASE "{name}"')
    yield f"postgres://{given['USER']}@{given['HOST']}:{given['PORT'] or 5432}/{name}"
    admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    admin.close()


@pytest.mark.skipif(sys.platform != "linux", reason="finds processes through /proc")
def test_a_worker_killed_in_the_middle_of_two_hundred_leads_loses_none_and_doubles_none(
    tmp_path: Path, database_url: str
) -> None:
    with Server(tmp_path, database_url) as server:
        with ThreadPoolExecutor(4) as pool:
            answers = [pool.submit(server.submit, number) for number in range(LEADS)]
            for share in (0.25, 0.6, 0.9):
                # While leads come in, the worker is busy with those before them.
                wait_until(lambda share=share: sum(a.done() for a in answers) > share * LEADS, "leads to be answered")
                wait_until(lambda: server.children("qcluster") != [], "a worker to run")
                server.kill("qcluster")
            assert [answer.result() for answer in answers] == [202] * LEADS
        wait_until(lambda: _done(server.counts()), "all leads to be worked on and carried to Notion")
        counts = server.counts()
        assert (counts["events"], counts["contacts"], counts["instances"]) == (LEADS, LEADS, LEADS)
        assert (counts["pages"], counts["conflicts"]) == (LEADS, 0)
        for title, key, number in (
            ("Contacts & Profiles", "Contact ID", LEADS),
            ("Active Workflow Instances", "Instance ID", LEADS),
            ("Master Tasks", "Task ID", counts["tasks"]),
        ):
            ids = [page["properties"][key]["rich_text"][0]["plain_text"] for page in server.pages(title)]
            assert (len(ids), len(set(ids))) == (number, number)


@pytest.mark.skipif(sys.platform != "linux", reason="finds processes through /proc")
def test_a_web_server_killed_while_it_takes_leads_in_keeps_every_one_that_it_answered(
    tmp_path: Path, database_url: str
) -> None:
    with Server(tmp_path, database_url) as server:
        with ThreadPoolExecutor(8) as pool:
            answers = [pool.submit(server.submit, number) for number in range(LEADS)]
            wait_until(lambda: sum(answer.done() for answer in answers) > LEADS // 4, "a quarter to be answered")
            server.kill("granian")
            statuses = [answer.result() for answer in answers]
        wait_until(lambda: server.answers("/health/live"), "the supervisor to start the web server again")
        accepted = statuses.count(202)
        assert set(statuses) <= {202, 0}
        # What got no answer is sent again, as its sender would; what was stored before the kill is a duplicate.
        again = [server.submit(number) for number, status in enumerate(statuses) if status == 0]
        assert set(again) <= {202, 200}
        wait_until(lambda: server.counts()["events"] == LEADS, "all leads to be worked on")
        assert server.counts()["contacts"] == LEADS
        assert accepted + len(again) == LEADS


def wait_until(true: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline, f"waited {PATIENCE} s for {what}"
        time.sleep(0.2)


def _done(counts: dict[str, int]) -> bool:
    return counts["unfinished"] == 0 and counts["waiting"] == 0


def _lead(number: int) -> bytes:
    answers = [
        {"type": "email", "email": f"lead{number}@example.org", "field": {"id": "1", "type": "email", "ref": "email"}},
        {"type": "text", "text": f"Lead {number}", "field": {"id": "2", "type": "short_text", "ref": "first_name"}},
    ]
    response = {"form_id": "crash", "token": f"token-{number}", "submitted_at": "2026-11-23T10:00:00Z"}
    body = {"event_id": str(number), "event_type": "form_response", "form_response": response | {"answers": answers}}
    return json.dumps(body).encode()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
