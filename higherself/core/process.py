"""Names processes so that others can tell whether one has died, without waiting for its lease to end."""

from __future__ import annotations

import os
import socket
from functools import lru_cache
from pathlib import Path

_PROC = Path("/proc")


def identity() -> str:
    """This process: machine, process namespace, number and start time. (A number alone is given again.)"""
    return f"{_home()}/{os.getpid()}/{_started(os.getpid())}"


def has_died(name: str) -> bool:
    """Whether the named process is certainly gone. False for another machine or container: who knows."""
    parts = name.rsplit("/", 2)
    if len(parts) != 3 or parts[0] != _home() or not parts[1].isdigit() or not parts[2]:
        return False
    return _started(int(parts[1])) != parts[2]


@lru_cache(maxsize=1)
def _home() -> str:
    try:
        namespace = (_PROC / "self/ns/pid").stat().st_ino
    except OSError:
        namespace = 0
    return f"{socket.gethostname()[:40]}/{namespace}"


def _started(pid: int) -> str:
    """The process's start in clock ticks since boot; empty when there is none, or where /proc is not to be had."""
    try:
        # The name, in brackets, may hold spaces; the start time is the 20th field after it (man 5 proc).
        return (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""
