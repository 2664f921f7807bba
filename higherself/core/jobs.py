"""Background jobs: the only module that knows django-q2.

A job is a function without arguments that finds its work in rows. Waking it is a hint and may get lost; a schedule
repeats the hint every minute. So the queue needs no retries, no arguments and no results of its own.
"""

from __future__ import annotations

import datetime as dt
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.db import connection, transaction
from django.utils import timezone
from django_q.models import OrmQ, Schedule
from django_q.tasks import async_task

from higherself.core.history.models import SERVER
from higherself.core.history.recording import by
from higherself.core.models import Heartbeat

logger = logging.getLogger(__name__)

# Wake-ups for one job from one process come at most this often, in seconds; the last one is never dropped.
WAKE_GAP = 0.25
HEARTBEAT_GAP = 10.0
WORKER_HEARTBEAT = "worker"
_RUN = "higherself.core.jobs.run"

JobFunction = Callable[[], object]


@dataclass(frozen=True)
class Job:
    name: str
    function: JobFunction
    every_seconds: int | None
    at_hour: int | None


_jobs: dict[str, Job] = {}


def job(
    name: str, *, every_seconds: int | None = None, at_hour: int | None = None
) -> Callable[[JobFunction], JobFunction]:
    """Registers a function as a job, optionally run by the clock: every 30 or 60 seconds, or daily at an hour (UTC)."""

    def register(function: JobFunction) -> JobFunction:
        _jobs[name] = Job(name, function, every_seconds, at_hour)
        return function

    return register


def names() -> list[str]:
    return sorted(_jobs)


def wake(name: str) -> None:
    """Asks for the job to run soon, once the current transaction commits."""
    if name not in _jobs:
        raise LookupError(f"no job is called {name!r}; known are {', '.join(names())}")
    transaction.on_commit(partial(_wakers.setdefault(name, _Waker(name)).wake))


def wake_in(name: str, seconds: float) -> None:
    """As `wake`, after a pause. A pause that is under way already is not begun again."""
    transaction.on_commit(partial(_wakers.setdefault(name, _Waker(name)).wake_later, seconds))


class _Waker:
    """Sends the first wake-up at once and folds those that follow within `WAKE_GAP` into one more at its end."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.lock = threading.Lock()
        self.sent_at = 0.0
        self.timer: threading.Timer | None = None

    def wake(self) -> None:
        with self.lock:
            wait = self.sent_at + WAKE_GAP - time.monotonic()
            if wait > 0:
                if self.timer is None:
                    self.timer = threading.Timer(wait, self._late)
                    self.timer.start()
                return
            self.sent_at = time.monotonic()
        _send(self.name)

    def wake_later(self, seconds: float) -> None:
        with self.lock:
            if self.timer is None:
                self.timer = threading.Timer(seconds, self._late)
                # Losing it with the process is no harm: the job's schedule comes back to the work.
                self.timer.daemon = True
                self.timer.start()

    def _late(self) -> None:
        with self.lock:
            self.timer = None
            self.sent_at = time.monotonic()
        try:
            _send(self.name)
        except Exception:  # a lost wake-up is repaired by the schedule; the thread must not die loudly for it
            logger.exception("could not wake the job %s; its schedule will", self.name)
        finally:
            connection.close()


_wakers: dict[str, _Waker] = {}


def _send(name: str) -> None:
    async_task(_RUN, name, task_name=name)


def run(name: str) -> None:
    """What a worker calls."""
    beat(WORKER_HEARTBEAT)
    found = _jobs.get(name)
    if found is None:
        raise LookupError(f"no job is called {name!r}: this worker runs another version than the one that woke it")
    with by(f"job {name}", SERVER, gather=False):
        found.function()


_beaten: dict[str, float] = {}


def beat(name: str) -> None:
    """Notes that something lives, at most every `HEARTBEAT_GAP` seconds a process."""
    now = time.monotonic()
    if now - _beaten.get(name, -HEARTBEAT_GAP) >= HEARTBEAT_GAP:
        Heartbeat.objects.update_or_create(name=name, defaults={"at": timezone.now()})
        _beaten[name] = now


def queue_length() -> int:
    """Wake-ups that no worker has taken yet."""
    return OrmQ.objects.count()


def install_schedules() -> None:
    """Makes the schedules that the jobs declare, and deletes those of jobs that are no more. What is there stays as it
    is, with the time that somebody has given it."""
    wanted = {row["name"]: row for item in _jobs.values() for row in _timings(item)}
    ours = Schedule.objects.filter(func=_RUN)
    ours.exclude(name__in=wanted).delete()
    known = set(ours.values_list("name", flat=True))
    for name, row in wanted.items():
        if name not in known:
            Schedule.objects.create(func=_RUN, repeats=-1, **row)


def daily_at(name: str) -> dt.time | None:
    """When a daily job runs by the server's clock; None for a job that has another rhythm, or no schedule."""
    row = _daily(name).values_list("next_run", flat=True).first()
    return timezone.localtime(row).time().replace(second=0, microsecond=0) if row else None


def usual_time(name: str) -> dt.time | None:
    """When a daily job runs where nobody has said otherwise, by the server's clock."""
    row = next(iter(_timings(_jobs[name])), {}) if name in _jobs else {}
    return timezone.localtime(row["next_run"]).time() if row.get("schedule_type") == Schedule.DAILY else None


def run_daily_at(name: str, at: dt.time) -> datetime:
    """From now on a daily job runs at this time by the server's clock, summer and winter; returns when it will first.

    Raises LookupError for a job that is not daily.
    """
    now = timezone.localtime()
    first = now.replace(hour=at.hour, minute=at.minute, second=0, microsecond=0)
    first += timedelta(days=1) if first <= now else timedelta()
    if not _daily(name).update(next_run=first):
        raise LookupError(f"no daily job is called {name!r}")
    return first


def _daily(name: str) -> Any:
    return Schedule.objects.filter(func=_RUN, name=name, schedule_type=Schedule.DAILY)


def _timings(item: Job) -> list[dict[str, Any]]:
    """The schedule rows of a job. The queue counts in minutes, so a job of every 30 seconds has two, half a minute
    apart."""
    now = timezone.now()
    args = repr((item.name,))
    if item.every_seconds:
        return [
            {
                "name": f"{item.name}+{start}" if start else item.name,
                "args": args,
                "schedule_type": Schedule.MINUTES,
                "minutes": max(item.every_seconds // 60, 1),
                "next_run": now + timedelta(seconds=start),
            }
            for start in range(0, 60, min(item.every_seconds, 60))
        ]
    if item.at_hour is None:
        return []
    first = now.replace(hour=item.at_hour, minute=7, second=0, microsecond=0)
    first += timedelta(days=1) if first <= now else timedelta()
    return [{"name": item.name, "args": args, "schedule_type": Schedule.DAILY, "next_run": first}]
