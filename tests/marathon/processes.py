"""`manage.py` in processes that can be killed. A process that has Django loaded already is forked for each command."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import time
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Ended:
    """``code`` is negative where a signal ended the command."""

    code: int
    stdout: str
    stderr: str

    def report(self) -> dict[str, Any] | None:
        """What `sync_notion --format json` said; None where it was killed before."""
        lines = self.stdout.strip().splitlines()
        return json.loads(lines[-1]) if lines and lines[-1].startswith("{") else None


class Commands:
    """Make it before threads are started and connections opened: both do not survive a fork."""

    def __init__(self, directory: Path) -> None:
        self.out, self.err = directory / "out", directory / "err"
        self.running = 0
        asked_by, ask = os.pipe()
        answers, answered_by = os.pipe()
        if os.fork() == 0:
            os.close(ask)
            os.close(answers)
            _serve(asked_by, answered_by)
        os.close(asked_by)
        os.close(answered_by)
        self._ask, self._answers = os.fdopen(ask, "w"), os.fdopen(answers)

    def run(self, *arguments: str, kill_after: float | None = None) -> Ended:
        job = {"arguments": arguments, "out": str(self.out), "err": str(self.err), "kill_after": kill_after}
        print(json.dumps(job), file=self._ask, flush=True)
        self.running = int(self._answers.readline())
        code = int(self._answers.readline())
        self.running = 0
        return Ended(code, self.out.read_text(errors="replace"), self.err.read_text(errors="replace"))

    def kill(self) -> None:
        """The command that runs just now, if one does."""
        if self.running:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.running, signal.SIGKILL)

    def close(self) -> None:
        self._ask.close()


def _serve(asked_by: int, answered_by: int) -> None:
    import django

    django.setup()
    from django.db import connections

    answers = os.fdopen(answered_by, "w")
    for line in os.fdopen(asked_by):
        job = json.loads(line)
        connections.close_all()
        child = os.fork()
        if child == 0:
            _become(job)
        print(child, file=answers, flush=True)
        if job["kill_after"] is not None:
            time.sleep(job["kill_after"])
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), file=answers, flush=True)
    os._exit(0)


def _become(job: dict[str, Any]) -> None:
    from django.core.management import execute_from_command_line

    for path, number in ((job["out"], 1), (job["err"], 2)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
    code = 0
    try:
        execute_from_command_line(["manage.py", *job["arguments"]])
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(bool(ended.code))
    except BaseException:
        traceback.print_exc()
        code = 70
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
