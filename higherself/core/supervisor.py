"""Starts the server's processes, restarts those that die, and stops all of them in order."""

from __future__ import annotations

import ctypes
import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import FrameType

logger = logging.getLogger(__name__)

# How long a process may take to finish what it is doing, in seconds.
DRAIN = 30.0
_PR_SET_PDEATHSIG = 1
# A process that dies at once is restarted ever more slowly, up to this many seconds.
_LONGEST_PAUSE = 30.0


@dataclass
class Child:
    """A process to keep alive. Children stop in the reverse of the order in which they started."""

    name: str
    command: list[str]
    env: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    restart_at: float = 0.0
    pause: float = 1.0

    def start(self) -> None:
        self.process = subprocess.Popen(  # noqa: S603 - our own commands
            self.command, env=os.environ | self.env, start_new_session=True, preexec_fn=_die_with_parent
        )
        self.started_at = time.monotonic()

    def check(self) -> None:
        """Restarts the process when it has died, after a pause that grows while it keeps dying."""
        if self.process is not None and self.process.poll() is not None:
            lived = time.monotonic() - self.started_at
            self.pause = 1.0 if lived > 60 else min(self.pause * 2, _LONGEST_PAUSE)
            self.restart_at = time.monotonic() + self.pause
            logger.error(
                "%s ended with status %s; it starts again in %.0f s", self.name, self.process.returncode, self.pause
            )
            self.process = None
        if self.process is None and time.monotonic() >= self.restart_at:
            self.start()

    def stop(self) -> None:
        if self.process is None or self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            self.process.wait(DRAIN)
        except subprocess.TimeoutExpired:
            logger.error("%s did not stop within %.0f s and is killed", self.name, DRAIN)
            _kill_group(self.process.pid)
            self.process.wait()


def _die_with_parent() -> None:
    # Linux: when the supervisor is killed outright, its children get SIGTERM and do not linger on the port.
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _kill_group(pid: int) -> None:
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        return  # it ended between the time-out and the kill


class Supervisor:
    def __init__(self) -> None:
        self.children: list[Child] = []
        self.stopping = False

    def __enter__(self) -> Supervisor:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._ask_to_stop)
        return self

    def __exit__(self, *_exc: object) -> None:
        for child in reversed(self.children):
            child.stop()

    def _ask_to_stop(self, _number: int, _frame: FrameType | None) -> None:
        self.stopping = True

    def start(self, child: Child) -> None:
        if not self.stopping:
            child.start()
            self.children.append(child)

    def wait_for(self, ready: Callable[[], bool], child: Child, seconds: float = 60.0) -> bool:
        """Waits until ``ready()``; false when asked to stop. Raises when the process dies or takes too long."""
        deadline = time.monotonic() + seconds
        while not self.stopping:
            if ready():
                return True
            if child.process is not None and child.process.poll() is not None:
                raise RuntimeError(f"{child.name} ended with status {child.process.returncode} while starting")
            if time.monotonic() > deadline:
                raise RuntimeError(f"{child.name} was not ready within {seconds:.0f} s")
            time.sleep(0.05)
        return False

    def run(self) -> None:
        while not self.stopping:
            for child in self.children:
                child.check()
            time.sleep(0.2)


def port_answers(host: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex((host, port)) == 0


def port_is_free(host: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True
