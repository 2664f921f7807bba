"""The background jobs of the agents. Each finds its work in rows, so a wake-up may get lost or come twice."""

from __future__ import annotations

import logging
import time

from agents_app import dispatch, edited
from agents_app.choices import TaskStatus
from agents_app.models import Task
from agents_app.services import catalog, counts, integrations, reminders, sender, work
from agents_app.services.messages import JOB as SEND_NOTIFICATIONS
from agents_app.workflow import clock
from higherself.core import jobs, process
from higherself.core.errors import Conflict
from higherself.core.jobs import job
from higherself.integrations import inbox, silence
from higherself.integrations.intake import JOB as DRAIN_INBOX

logger = logging.getLogger(__name__)

# Seconds that one run may take; then it asks to be called again, so that other jobs get their turn.
TIME_BOX = 60.0
# Few at a time: the lease of the last one runs while the first ones are worked on.
BATCH = 10
SETTLE_AT_ONCE = 200


@job(DRAIN_INBOX, every_seconds=30)
def drain_inbox() -> int:
    """Works on stored deliveries until none is due; returns how many."""
    worker = process.identity()
    inbox.take_from_the_dead()
    ends, done = time.monotonic() + TIME_BOX, 0
    while time.monotonic() < ends:
        try:
            events = inbox.claim(BATCH, worker)
        except Conflict:
            continue
        if not events:
            return done
        for event in events:
            dispatch.process(event)
        done += len(events)
    jobs.wake(DRAIN_INBOX)
    return done


@job(edited.JOB, every_seconds=60)
def heed_edits() -> int:
    """Works on what people have edited until nothing waits; returns how many edits that were."""
    ends, done = time.monotonic() + TIME_BOX, 0
    while time.monotonic() < ends:
        heeded = edited.heed()
        if not heeded:
            return done
        done += heeded
    jobs.wake(edited.JOB)
    return done


@job(SEND_NOTIFICATIONS, every_seconds=60)
def send_notifications() -> int:
    """Sends what is due until nothing is; returns how many messages were tried."""
    ends, tried = time.monotonic() + TIME_BOX, 0
    while time.monotonic() < ends:
        sent = sender.send_due()
        if not sent:
            return tried
        tried += sent
    jobs.wake(SEND_NOTIFICATIONS)
    return tried


@job("sweep", every_seconds=60)
def sweep() -> int:
    """What no wake-up comes back to: done tasks, tasks that wait for their agent, the clock, and what is late."""
    repaired = settle_done_tasks() + dispatch.make_waiting_tasks() + clock.fire_due()
    return repaired + (reminders.escalate() if catalog.current().is_on(work.AGENT) else 0)


def settle_done_tasks() -> int:
    """Tasks that were set Done in bulk, or while their agent was switched off, move their workflows on now."""
    if not catalog.current().is_on(work.AGENT):
        return 0
    waiting = Task.objects.live().filter(status=TaskStatus.DONE, done_told=False).order_by("pk")
    tasks = list(waiting[:SETTLE_AT_ONCE])
    for task in tasks:
        dispatch.task_saved(task)
    return len(tasks)


@job("task_digest", at_hour=11)
def task_digest() -> int:
    """Once a day, early in the American morning: what is due and what is late."""
    return reminders.daily_digest() if catalog.current().is_on(work.AGENT) else 0


@job("review_stalled", at_hour=11)
def review_stalled() -> int:
    """Once a day: instances that stand still for longer than the SLA allows get a task for a person."""
    return reminders.review_stalled() if catalog.current().is_on(work.AGENT) else 0


@job("refresh_counts", every_seconds=600)
def refresh_counts() -> int:
    """Measures the figures of agents, workflows and templates."""
    return counts.refresh()


@job("check_integrations", every_seconds=6 * 3600)
def check_integrations() -> int:
    """Asks every service whether it lets us in, and writes it to the catalogue. Returns how many were asked."""
    return len(integrations.check_all())


@job("watch_for_silence", every_seconds=3600)
def watch_for_silence() -> int:
    """Learns from what was sent, and marks who has fallen silent. Returns how many rows of the catalogue changed."""
    silence.observe()
    return integrations.write_silence()
