"""The server's processes, started as `manage.py serve` starts them, for the length of one scenario."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.environment import ROOT
from bench.load import Load, describe
from bench.usage import cpu_seconds, peak_megabytes
from higherself.core.supervisor import Child, port_answers

LOOPBACK = "127.0.0.1"
_READY = 60.0
_GRACE = 5.0
_LOOK = 0.02


@dataclass(frozen=True)
class Finished:
    """What a command printed, and what it took: seconds and, at its peak, megabytes."""

    stdout: str
    seconds: float
    megabytes: float


class Stage:
    """Starts and stops processes; ``env`` is what all of them read."""

    def __init__(self) -> None:
        self.directory = Path(os.environ["VAR_DIR"])
        self.children: list[Child] = []
        self.server: Child | None = None

    def __enter__(self) -> Stage:
        return self

    def __exit__(self, *_exc: object) -> None:
        for child in reversed(self.children):
            child.stop()

    # -- commands ------------------------------------------------------------------------------------------------
    def manage(self, *arguments: str) -> Finished:
        """Runs `manage.py`. Raises RuntimeError with what it said when it fails; 1 is "needs a person", not failure."""
        return run([sys.executable, "manage.py", *arguments], accepted=(0, 1))

    def prepare(self) -> None:
        self.manage("migrate", "--verbosity", "0")
        self.manage("seed", "--verbosity", "0")

    # -- processes -----------------------------------------------------------------------------------------------
    def web(self) -> int:
        """Web processes as in production; returns the port."""
        port = int(os.environ["SERVER_PORT"])
        serve = [sys.executable, "manage.py", "serve", "--no-worker", "--no-sandbox", "--port", str(port)]
        self.server = self._start("web", serve, {"LOG_LEVEL": "INFO"})
        wait_until(lambda: _answers(f"http://{LOOPBACK}:{port}/health/live"), "the web process answers")
        return port

    def workers(self, processes: int) -> Child:
        command = [sys.executable, "manage.py", "qcluster"]
        return self._start("worker", command, {"WORKER_PROCESSES": str(processes)})

    def sandbox(self, data: Path | None = None, per_minute: int | None = None) -> Child:
        port = int(os.environ["SANDBOX_PORT"])
        command = [sys.executable, "-m", "notion_sync.sandbox", "--port", str(port)]
        command += ["--token", "local-sandbox", "--data", str(data or self.directory / "notion.sqlite3")]
        command += ["--rate-limit", str(per_minute)] if per_minute else []
        child = self._start("sandbox", command, {})
        wait_until(lambda: port_answers(LOOPBACK, port), "the sandbox answers", child)
        return child

    def stop(self, child: Child) -> None:
        child.stop()
        self.children.remove(child)

    def _start(self, name: str, command: list[str], env: dict[str, str]) -> Child:
        log = open(self.directory / f"{name}.log", "ab")  # noqa: SIM115 - the child's, for its whole life
        child = Logged(name, command, env)
        child.log = log
        child.start()
        self.children.append(child)
        return child

    def cpu(self) -> float:
        """Processor time of the web processes so far, in seconds."""
        process = self.server.process if self.server else None
        return cpu_seconds(process.pid) if process else 0.0

    # -- the sandbox's control ---------------------------------------------------------------------------------------
    def control(self, name: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        url = f"http://{LOOPBACK}:{os.environ['SANDBOX_PORT']}/__control__/{name}"
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(urllib.request.Request(url, data), timeout=30) as answer:
            found: dict[str, Any] = json.load(answer)
        return found


class Logged(Child):
    """A child whose output goes to a file in the scenario's directory."""

    log: Any = None

    def start(self) -> None:
        self.process = subprocess.Popen(
            self.command, cwd=ROOT, env=os.environ | self.env, stdout=self.log, stderr=self.log, start_new_session=True
        )
        self.started_at = time.monotonic()

    def stop(self) -> None:
        """A worker may be in the middle of a long push; a benchmark does not wait for the end of that."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(_GRACE)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()
        self.log.close()


def run(command: list[str], *, accepted: tuple[int, ...] = (0,), stdin: str = "") -> Finished:
    """Runs a command to its end and measures it."""
    began = time.perf_counter()
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=out, stderr=said)
        assert process.stdin is not None
        process.stdin.write(stdin.encode())
        process.stdin.close()
        megabytes = _watch(process)
        seconds = time.perf_counter() - began
        texts = [stream.read().decode(errors="replace") for stream in (out, said) if stream.seek(0) == 0]
    if process.returncode not in accepted:
        raise RuntimeError(f"{' '.join(command[1:4])} ended with {process.returncode}: {texts[1].strip()[-2000:]}")
    return Finished(texts[0], seconds, megabytes)


def _watch(process: subprocess.Popen[bytes]) -> float:
    """Waits for the end and returns the peak memory. (What `wait4` tells includes what the parent had at the fork.)"""
    peak = 0.0
    while process.poll() is None:
        peak = max(peak, peak_megabytes(process.pid))
        time.sleep(_LOOK)
    return peak


def generate(load: Load) -> dict[str, Any]:
    """Runs the load generator in a process of its own."""
    found: dict[str, Any] = json.loads(run([sys.executable, "-m", "bench.load"], stdin=describe(load)).stdout)
    return found


def wait_until(ready: Callable[[], bool], what: str, child: Child | None = None, seconds: float = _READY) -> None:
    """Raises TimeoutError when it takes too long, RuntimeError when the process that it waits for has ended."""
    deadline = time.monotonic() + seconds
    while not ready():
        if child is not None and child.process is not None and child.process.poll() is not None:
            raise RuntimeError(f"{child.name} ended with status {child.process.returncode} before {what}")
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {seconds:.0f} s")
        time.sleep(0.05)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
