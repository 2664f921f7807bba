"""What readers, members, recorders and guests send: Beehiiv's, Circle.so's, Plaud's and UserFeedback's deliveries."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from bench.sales import Sale

WORDS = "We walked up to the spring before sunrise, and nobody spoke until the kettle sang. " * 40
STAMP = 1_764_700_000


def community(count: int) -> Iterator[Sale]:
    """A member who joins, writes, and looks in: three nudges each."""
    for number in range(count):
        for change, ids in (
            ("member_joined", {}),
            ("post_created", {"post_id": number + 1}),
            ("member_logged_in", {}),
        ):
            who = {
                "community_member_id": number + 1,
                "email": f"member-{number}@example.com",
                "name": f"Robin {number}",
            }
            yield _sent("circle", {"type": change, "data": {"community_id": 1, **who, **ids}})


def newsletter(count: int) -> Iterator[Sale]:
    """A reader who subscribes and confirms: two events each."""
    for number in range(count):
        for step, (change, status) in enumerate((("created", "validating"), ("confirmed", "active"))):
            data = {"id": f"sub_{number}", "email": f"reader-{number}@example.com", "status": status, "created": STAMP}
            yield _sent(
                "beehiiv",
                {
                    "event_type": f"subscription.{change}",
                    "event_timestamp": STAMP + step,
                    "uid": f"sub-{number}-{change}",
                    "data": data,
                },
            )


def content(count: int) -> Iterator[Sale]:
    """A recording with its text, of about 3 KB; and the text again, mended."""
    for number in range(count):
        for step, more in enumerate(("", "And then we sang.")):
            data = {"file_id": f"file_{number}", "title": f"Walk {number}", "transcript": f"{WORDS}{more}"}
            stamp = f"2026-12-02T1{step}:00:00+00:00"
            yield _sent("plaud", {"event": "transcription.completed", "timestamp": stamp, "data": data})


def feedback(count: int) -> Iterator[Sale]:
    """An answer to a survey; every fifth is a bad one, with a task and a word to the team."""
    for number in range(count):
        data = {
            "survey_id": "12",
            "response_id": number + 1,
            "survey_title": "After the retreat",
            "rating": 5 if number % 5 else 2,
            "email": f"guest-{number}@example.com",
            "name": f"Robin {number}",
            "feedback_text": "The room was cold, and the food was wonderful.",
        }
        yield _sent("userfeedback", {"event": "response_added", "data": data})


def _sent(slug: str, body: dict[str, Any]) -> Sale:
    return Sale(slug, json.dumps(body, separators=(",", ":")).encode())


# By flow: its deliveries for so many people, and how many deliveries each of them is.
FLOWS: dict[str, tuple[Callable[[int], Iterator[Sale]], int]] = {
    "community": (community, 3),
    "newsletter": (newsletter, 2),
    "content": (content, 2),
    "feedback": (feedback, 1),
}
