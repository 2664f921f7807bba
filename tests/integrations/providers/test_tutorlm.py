"""Reading what the bridges to Tutor LMS send."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from higherself.integrations.base import Ignore
from higherself.integrations.delivery import Delivery, Unreadable
from higherself.integrations.events import EventKind
from higherself.integrations.registry import PROVIDERS
from tests.integrations.providers.support import RECEIVED, material, one, read, told, utc
from tests.integrations.support import json_delivery, payload

TUTOR = PROVIDERS["tutorlm"]
K = EventKind


def tracked(name: str, when: str = "2026-11-23T10:00:00+00:00", **data: Any) -> dict[str, Any]:
    student = {"user_id": 123, "user_email": "jane@example.com", "course_id": 9213}
    return {"event": name, "timestamp": when, "site_url": "https://site.example", "data": student | data}


def test_an_enrolment_of_advanced_tracking_is_read():
    event = one("tutorlm", payload("tutorlm/course_enrolled.json"))
    assert (event.kind, event.source, event.source_id) == (K.COURSE_ENROLLED, "TutorLM", "4558")
    assert (event.occurred_at, event.key) == (utc(2026, 11, 23, 10), "student:123")
    found = material(event)
    assert (found.student.id, found.student.email, found.student.name) == ("123", "jane@example.com", "Jane Doe")
    assert (found.course_id, found.course_title, found.enrollment_id) == ("9213", "Demo course", "4558")
    assert (found.site, found.change, found.problems) == ("https://site.example", "course_enrolled", [])


def test_a_finished_course_of_wp_webhooks_is_known_by_its_shape_and_lacks_the_address():
    event = one("tutorlm", payload("tutorlm/wp_webhooks.tutor_course_completed.json"))
    assert (event.kind, event.source_id, event.occurred_at) == (K.COURSE_COMPLETED, "123:9213", RECEIVED)
    assert told(event) == {
        "problems": ["Doing.user_email: not given"],
        "student": event.data["student"],
        "change": "tutor_course_completed",
        "course_id": "9213",
        "course_title": "Demo course",
    }


@pytest.mark.parametrize(
    ("name", "kind", "passed"),
    [
        ("course_completed", K.COURSE_COMPLETED, None),
        ("lesson_completed", K.LESSON_COMPLETED, None),
        ("quiz_passed", K.QUIZ_FINISHED, True),
        ("quiz_failed", K.QUIZ_FINISHED, False),
        ("tutor_after_enrolled", K.COURSE_ENROLLED, None),
        ("enrollment_cancelled", K.COURSE_LEFT, None),
    ],
)
def test_each_event_is_named_by_body_header_or_address(name: str, kind: EventKind, passed: bool | None):
    bare = tracked("") | {"event": None}
    found = [
        one("tutorlm", tracked(name)),
        one("tutorlm", bare, headers={"X-TLAT-Event": name}),
        one("tutorlm", bare, headers={"X-WP-Webhook-Name": name}),
        one("tutorlm", bare, query=f"event={name}"),
    ]
    assert [(event.kind, event.data["passed"]) for event in found] == [(kind, passed)] * 4


def test_the_same_thing_on_the_same_day_is_a_repeat_but_each_attempt_counts():
    def key(body: dict[str, Any], days: int = 0) -> str:
        return TUTOR.delivery_key(json_delivery(body, received_at=RECEIVED + timedelta(days=days)))

    done, later = tracked("course_completed"), tracked("course_completed", "2026-11-23T18:00:00+00:00")
    assert key(done) == key(later)
    assert key(done) != key(tracked("course_completed", "2026-11-24T10:00:00+00:00"))
    bridge = payload("tutorlm/wp_webhooks.tutor_course_completed.json")
    assert key(bridge) != key(bridge, days=1)
    first, second = (tracked("quiz_failed", f"2026-11-23T{hour}:00:00+00:00", quiz_id=5) for hour in (10, 11))
    assert key(first) != key(second)
    assert key(tracked("quiz_failed", attempt_id=1)) == key(tracked("quiz_failed", "2026-11-25", attempt_id=1))


def test_unknown_events_are_ignored_and_nobodys_are_unreadable():
    with pytest.raises(Ignore, match="event 'order_placed' is not one that is acted upon"):
        read("tutorlm", tracked("order_placed"))
    with pytest.raises(Unreadable, match="course_completed names no student"):
        read("tutorlm", {"event": "course_completed", "data": {"course_id": 1}})


@pytest.mark.parametrize(
    ("header", "signature"),
    [
        ("X-TLAT-Signature", "bfb9b930107a3445beaa5ac0174620cdececc3a30d855419c575104898e7d403"),
        ("X-WP-Webhook-Signature", "v7m5MBB6NEW+qlrAF0Ygzezsw6MNhVQZxXUQSJjn1AM="),
    ],
)
def test_the_bridges_signatures_prove_a_delivery(settings, header: str, signature: str):
    settings.PROVIDERS = {"tutorlm": {"webhook_secret": "example-secret"}}
    body = b'{"user_id":123,"course_id":9213}'
    assert TUTOR.verify(Delivery(body, {header: signature})) is True
    assert TUTOR.verify(Delivery(body + b" ", {header: signature})) is False
