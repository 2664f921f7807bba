"""What Circle.so, Beehiiv, Snov.io, Tutor LMS, UserFeedback and Plaud send, put through the inbox."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

from agents_app import rounds, tasks
from agents_app.models import Task, WorkflowInstance
from higherself.integrations import inbox
from higherself.integrations.delivery import Delivery
from higherself.integrations.models import InboundEvent
from higherself.integrations.registry import PROVIDERS

Sent = tuple[str, dict[str, Any]]


def later(clock: Any, **delta: float) -> None:
    """Moves a stopped clock on."""
    clock.move_to(datetime.now(timezone.utc) + timedelta(**delta))


def circle(change: str, member: int | None = 7, email: str = "ada@example.com", **ids: Any) -> Sent:
    data = {"community_id": 1, "community_member_id": member, "email": email, "name": "Ada Lovelace" if email else ""}
    return "circle", {"type": change, "data": {k: v for k, v in {**data, **ids}.items() if v not in (None, "")}}


def subscription(change: str, *, email: str = "ada@example.com", at: int = 1_780_000_000, **more: Any) -> Sent:
    data = {"id": f"sub_{email}", "email": email, "status": "active", "created": 1_779_000_000, **more}
    body = {
        "event_type": f"subscription.{change}",
        "event_timestamp": at,
        "uid": f"{change}-{email}-{at}",
        "data": data,
    }
    return "beehiiv", body


def post(change: str, *, title: str = "Spring letter", at: int = 1_780_000_000, **more: Any) -> Sent:
    data = {"id": "post_1", "title": title, "web_url": "https://letters.example/spring", **more}
    return "beehiiv", {"event_type": f"post.{change}", "event_timestamp": at, "uid": f"{change}-{at}", "data": data}


def outreach(thing: str, action: str, email: str = "ada@example.com", **data: Any) -> Sent:
    body = {"event_object": thing, "event_action": action}
    return "snovio", {**body, "data": {"recipient_email": email, "campaign_name": "Autumn", **data}}


def course(
    event: str, *, email: str = "ada@example.com", user: int = 5, lesson: int | None = None, **more: Any
) -> Sent:
    data: dict[str, Any] = {"user_id": user, "course_id": 9, "course_title": "Listening"}
    data |= {"user_email": email, "user_name": "Ada Lovelace"} if email else {}
    data |= {"lesson_id": lesson} if lesson else {}
    stamp = more.pop("timestamp", "2026-05-20T10:00:00+00:00")
    return "tutorlm", {"event": event, "timestamp": stamp, "site_url": "https://s.example", "data": {**data, **more}}


def survey(response: int, rating: int | None = None, email: str = "ada@example.com", text: str = "") -> Sent:
    body = {"survey_id": "12", "response_id": response, "survey_title": "After the retreat"}
    return "userfeedback", {
        "event": "response_added",
        "data": {**body, "rating": rating, "email": email, "name": "Ada Lovelace", "feedback_text": text},
    }


def recording(text: str = "", *, event: str = "completed", stamp: str = "2026-05-21T15:30:00Z", **data: Any) -> Sent:
    content = {"file_id": "file_1", "title": "Morning walk", "transcript": text, **data}
    return "plaud", {"event": f"transcription.{event}", "timestamp": stamp, "data": content}


def store(sent: Sent, received: datetime | None = None) -> Any:
    provider, payload = sent
    given = {"received_at": received} if received else {}
    delivery = Delivery(body=json.dumps(payload).encode(), content_type="application/json", **given)
    return inbox.store(PROVIDERS[provider], delivery).event_id


def deliver(*sent: Sent) -> InboundEvent:
    """Stores the deliveries, lets the worker run until nothing is due, and returns the last event as it stands then."""
    ids = [store(item) for item in sent]
    tasks.drain_inbox()
    return InboundEvent.objects.get(pk=ids[-1])


def deliver_shuffled(sent: Sequence[Sent], seed: int) -> list[str]:
    """Each delivery twice, in any order; returns what became of them that is neither done nor a repeat."""
    twice = [*sent, *sent]
    random.Random(seed).shuffle(twice)
    for item in twice:
        store(item)
        tasks.drain_inbox()
    return [row.error for row in InboundEvent.objects.exclude(status__in=["processed", "ignored"])]


def flow(workflow_id: str) -> WorkflowInstance:
    return WorkflowInstance.objects.get(workflow__workflow_id=workflow_id)


def finish(key: str) -> None:
    """Somebody sets the task Done, and everything that follows from it is done."""
    for task in Task.objects.filter(task_key__contains=f":{key}:", status="To Do"):
        task.status = "Done"
        task.save(update_fields=["status"])
    rounds_go()


def rounds_go() -> None:
    tasks.sweep()
    for _ in range(3):
        rounds.tend_campaigns()
        rounds.tend_content()


def open_tasks() -> list[str]:
    rows = Task.objects.filter(status="To Do").order_by("pk")
    return [row.task_key.split(":")[1] if row.task_key.startswith("INST") else row.task_key for row in rows]
