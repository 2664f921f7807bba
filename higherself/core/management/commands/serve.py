from __future__ import annotations

import os
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from higherself.core import firststeps
from higherself.core.supervisor import Child, Supervisor, port_answers, port_is_free

LOOPBACK = "127.0.0.1"


class Command(BaseCommand):
    help = "Starts web, worker and, without NOTION_API_TOKEN, the local Notion sandbox, and keeps them running."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=settings.SERVER_PORT, help="web port (SERVER_PORT)")
        parser.add_argument("--host", default=settings.SERVER_HOST, help="web address (SERVER_HOST)")
        parser.add_argument("--no-worker", action="store_true", help="web only; run `manage.py qcluster` elsewhere")
        parser.add_argument("--no-sandbox", action="store_true", help="do not start the local Notion sandbox")
        parser.add_argument(
            "--first-run",
            action="store_true",
            help="before starting: migrate, collect static files, seed, make an administrator, set the sandbox up",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        host, port = options["host"], options["port"]
        sandbox = settings.SANDBOX_ENABLED and not options["no_sandbox"]
        self._check_ports(
            [(host, port, "SERVER_PORT")] + ([(LOOPBACK, settings.SANDBOX_PORT, "SANDBOX_PORT")] * sandbox)
        )
        if options["first_run"]:
            # For trying out: the password that is printed opens the console, unless the environment says otherwise.
            os.environ.setdefault("STAFF_SECOND_FACTOR", "optional")
        password = firststeps.prepare(self.stdout.write) if options["first_run"] else None
        with Supervisor() as supervisor:
            if sandbox:
                self._start_sandbox(supervisor)
                if options["first_run"] and not supervisor.stopping:
                    firststeps.set_sandbox_up(self.stdout.write)
            if not options["no_worker"]:
                supervisor.start(Child("worker", [sys.executable, "manage.py", "qcluster"], _quiet()))
            web = _web(host, port)
            supervisor.start(web)
            if supervisor.wait_for(lambda: port_answers(_reachable(host), port), web):
                firststeps.greet(self.stdout.write, _reachable(host), port, password, sandbox)
                self.stdout.flush()
            supervisor.run()
            self.stdout.write("Stopping: what is under way is finished first.")

    def _check_ports(self, wanted: list[tuple[str, int, str]]) -> None:
        for host, port, variable in wanted:
            if not port_is_free(host, port):
                raise CommandError(f"{host}:{port} is in use by another program. Stop that one, or set {variable}.")

    def _start_sandbox(self, supervisor: Supervisor) -> None:
        child = Child(
            "Notion sandbox",
            [
                *(sys.executable, "-m", "notion_sync.sandbox"),
                *("--host", LOOPBACK, "--port", str(settings.SANDBOX_PORT)),
                *("--data", str(settings.VAR_DIR / "sandbox.sqlite3")),
                *("--token", settings.SANDBOX_TOKEN),
            ],
        )
        supervisor.start(child)
        supervisor.wait_for(lambda: port_answers(LOOPBACK, settings.SANDBOX_PORT), child)


def _web(host: str, port: int) -> Child:
    # Threads mostly wait for the disk, together: many of them make few, large commits. Granian's warnings are advice
    # on numbers of threads; what goes wrong it reports as errors.
    command = [
        *(sys.executable, "-m", "granian", "--interface", "wsgi", "--no-ws", "--http", "1"),
        *("--host", host, "--port", str(port)),
        *("--workers", str(settings.WEB_PROCESSES), "--blocking-threads", str(settings.WEB_THREADS)),
        *("--respawn-failed-workers", "--log-level", "error", "higherself.wsgi:application"),
    ]
    return Child("web", command)


def _quiet() -> dict[str, str]:
    return {"PYTHONWARNINGS": "ignore"}


def _reachable(host: str) -> str:
    return LOOPBACK if host in {"0.0.0.0", "::", ""} else host  # noqa: S104 - compared, not bound
