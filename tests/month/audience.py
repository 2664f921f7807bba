"""What happens in the month among readers, members, students and in recordings: the second half of the script.

No member has to be looked up at Circle and no text at Plaud: every delivery says itself who or what it is about.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from tests.month.happening import Happening, email

FIRST = datetime(2026, 12, 1, tzinfo=ZoneInfo("America/New_York"))


def audience() -> Iterator[Happening]:
    yield from community()
    yield from students()
    yield from subscribers()
    yield from posts()
    yield from recordings()
    yield from surveys()


def _stamp(day: int, hour: int = 10) -> int:
    """Seconds since 1970, as Beehiiv tells the time of an event."""
    return int((FIRST + timedelta(days=day - 1, hours=hour)).timestamp())


# -- community ------------------------------------------------------------------------------------------------------
MEMBERS, READERS = 40, 20
WRITES, COMMENTS, GATHERINGS = (8, 10, 13, 16), (9, 11, 14, 17), {901: 12, 902: 25}


def member(number: int) -> str:
    """Thirty new people, four whose first order comes a day or two later, and six who have booked before."""
    if number < 30:
        return f"member{number}@example.com"
    return email(number + 20) if number < 34 else email(number)


def community() -> Iterator[Happening]:
    """Forty members, ten of each story; 250 signs of life. And two gatherings, one of them moved."""
    for number in range(MEMBERS):
        yield from MEMBER_STORIES[number % len(MEMBER_STORIES)](number)
    for event, day in GATHERINGS.items():
        yield _nudge(None, day - 7, "event_created", event_id=event)
    yield _nudge(None, GATHERINGS[902] - 5, "event_updated", event_id=902)


def _quiet(number: int) -> Iterator[Happening]:
    """Looks in once, and is not seen again."""
    yield _nudge(number, 5, "member_joined")
    yield _nudge(number, 5, "member_logged_in")


def _looks_on(number: int) -> Iterator[Happening]:
    yield _nudge(number, 5, "member_joined")
    for day in (7, 8, 9, 10):
        yield _nudge(number, day, "reaction_created")
    for day in (8, 10, 12):
        yield _nudge(number, day, "member_logged_in")


def _writes(number: int) -> Iterator[Happening]:
    """Carries the community: writes, comes to both gatherings, and takes the course."""
    yield _nudge(number, 6, "member_joined")
    yield _nudge(number, 9, "profile_updated", profile_field_id=4)
    for place, day in enumerate(WRITES):
        yield _nudge(number, day, "post_created", post_id=number * 100 + place)
    for place, day in enumerate(COMMENTS):
        yield _nudge(number, day, "comment_created", comment_id=number * 100 + place)
    for event, day in GATHERINGS.items():
        yield _nudge(number, day, "event_attended", event_id=event, event_attendee_id=number * 1000 + event)
    for day, what in ((7, "course_enrolled"), (11, "lesson_completed"), (20, "course_completed")):
        yield _study(500 + number, member(number), day, what)


def _leaves(number: int) -> Iterator[Happening]:
    yield _nudge(number, 6, "member_joined")
    yield _nudge(number, 8, "post_created", post_id=number * 100)
    yield _nudge(number, 9, "member_removed")


MEMBER_STORIES = (_quiet, _looks_on, _writes, _leaves)


def _nudge(number: int | None, day: int, change: str, **ids: int) -> Happening:
    data: dict[str, Any] = {"community_id": 1, **ids}
    if number is not None:
        data |= {"community_member_id": 300 + number, "email": member(number), "name": f"Member{number} Guest"}
    return Happening(day, "circle", {"type": change, "data": data})


def students() -> Iterator[Happening]:
    """Ten who take the course and are no members."""
    for number in range(10):
        yield _study(600 + number, f"student{number}@example.com", 9, "course_enrolled")
        yield _study(600 + number, f"student{number}@example.com", 11, "lesson_completed")


def _study(user: int, address: str, day: int, what: str) -> Happening:
    data: dict[str, Any] = {
        "user_id": user,
        "user_email": address,
        "user_name": f"Student{user} Guest",
        "course_id": 9,
        "course_title": "Listening",
    }
    if what == "lesson_completed":
        data["lesson_id"] = 4
    stamp = datetime.fromtimestamp(_stamp(day), tz=ZoneInfo("UTC")).isoformat()
    body = {"event": what, "timestamp": stamp, "site_url": "https://site.example", "data": data}
    return Happening(day, "tutorlm", body)


# -- newsletter -----------------------------------------------------------------------------------------------------
UNCONFIRMED, GONE, REFERRED, REFERRER = (5, 15), {8: 9, 9: 20, 19: 20}, 18, 10


def reader(number: int) -> str:
    """Ten who have booked before, and ten new people."""
    return email(10 + number) if number < 10 else f"reader{number}@example.com"


def subscribers() -> Iterator[Happening]:
    """Twenty readers: two never confirm, three leave, one was brought by another."""
    for number in range(READERS):
        yield _subscription(number, 4, "created", "validating")
        if number not in UNCONFIRMED:
            yield _subscription(number, 4, "confirmed", "active", hour=11)
        if number in GONE:
            yield _subscription(number, GONE[number], "deleted", "inactive")


def _subscription(number: int, day: int, change: str, status: str, hour: int = 10) -> Happening:
    data = {
        "id": f"sub_{number}",
        "email": reader(number),
        "status": status,
        "created": _stamp(4),
        "referral_code": f"CODE{number}",
        "referring_site": f"https://letters.example/?ref=CODE{REFERRER}" if number == REFERRED else "",
    }
    return _told(f"subscription.{change}", f"sub-{number}-{change}", day, hour, data)


def posts() -> Iterator[Happening]:
    """One letter that was only written in Beehiiv, and the one that the team has planned (see `team`)."""
    yield _post("post_1", "Advent letter", 8, "scheduled", 9)
    yield _post("post_1", "Advent letter", 8, "sent", 10)
    yield _post("post_1", "Advent letter, mended", 8, "updated", 12)
    yield _post("post_2", PLANNED, 12, "sent", 10)


PLANNED = "Retreat letter"


def _post(key: str, title: str, day: int, change: str, hour: int) -> Happening:
    data = {"id": key, "title": title, "web_url": f"https://letters.example/{key}", "publish_date": _stamp(day)}
    return _told(f"post.{change}", f"{key}-{change}", day, hour, data)


def _told(name: str, uid: str, day: int, hour: int, data: dict[str, Any]) -> Happening:
    body = {"event_type": name, "event_timestamp": _stamp(day, hour), "uid": uid, "data": data}
    return Happening(day, "beehiiv", body)


# -- recordings -----------------------------------------------------------------------------------------------------
EVENING = "Evening walk"


def recordings() -> Iterator[Happening]:
    """One whose text comes a day later, and is mended the same day; one that has its text; one that nobody can
    understand."""
    yield _recording(3, 1, "Morning walk", "")
    yield _recording(4, 1, "Morning walk", "Breathe in.", hour=10)
    yield _recording(4, 1, "Morning walk", "Breathe in. Breathe out.", hour=11)
    yield _recording(6, 2, EVENING, "The day is done.")
    yield _recording(6, 3, "Storm", "", failed=True)


def _recording(day: int, number: int, title: str, words: str, *, hour: int = 10, failed: bool = False) -> Happening:
    stamp = datetime.fromtimestamp(_stamp(day, hour), tz=ZoneInfo("UTC")).isoformat()
    data = {"file_id": f"file_{number}", "title": title, "transcript": words}
    body = {"event": f"transcription.{'failed' if failed else 'completed'}", "timestamp": stamp, "data": data}
    return Happening(day, "plaud", body)


# -- surveys --------------------------------------------------------------------------------------------------------
ANSWERED, ANSWERS_ON = (9, 19, 29, 39), 13


def surveys() -> Iterator[Happening]:
    """Four who have been there say how it was; the first of them is not content."""
    for place, number in enumerate(ANSWERED):
        data = {
            "survey_id": "12",
            "response_id": 100 + number,
            "survey_title": "After the retreat",
            "rating": 5 if place else 2,
            "email": email(number),
            "name": f"Person{number} Guest",
            "feedback_text": "It was wonderful." if place else "The room was cold.",
        }
        yield Happening(ANSWERS_ON, "userfeedback", {"event": "response_added", "data": data})
