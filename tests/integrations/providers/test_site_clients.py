"""Calls to the WordPress site's plug-ins: Amelia, Tutor LMS and UserFeedback; and to Plaud."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from higherself.core.errors import Permanent, Retryable
from higherself.core.http import Answer, Rejected
from higherself.integrations import backfill
from higherself.integrations.events import EventKind
from higherself.integrations.intake import store
from higherself.integrations.models import InboundEvent
from higherself.integrations.providers.amelia.client import _appointments
from higherself.integrations.registry import PROVIDERS
from tests.integrations.providers.calls import events_of, history, kept, run, told
from tests.integrations.support import json_delivery, payload
from tests.standins.plaud import ACCESS_TOKEN
from tests.standins.server import StandIns

pytestmark = pytest.mark.django_db
SLUGS = ("amelia", "tutorlm", "userfeedback", "plaud")


@pytest.fixture(autouse=True)
def _fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("higherself.core.jobs.wake", lambda _name: None)
    for slug in SLUGS:
        monkeypatch.setattr(PROVIDERS[slug].client_class, "per_second", 0.0)


def soon(days: int = 3) -> str:
    return f"{datetime.now(timezone.utc) + timedelta(days=days):%Y-%m-%d} 10:00:00"


# -- Amelia ---------------------------------------------------------------------------------------------------------
def test_a_booking_is_read_back_with_its_customer_in_the_sites_own_time(standins: StandIns):
    standins["amelia"].book(533, start="2026-12-01 10:00:00")
    outcome = run("amelia", "booking.read", {"appointment_id": "533"})
    (event,) = events_of("amelia", outcome)
    assert (event.kind, event.source_id) == (EventKind.BOOKING_STATUS_CHANGED, "533")
    # Madrid is an hour ahead of UTC in winter.
    assert (event.data["starts_at"], event.data["customer"]["email"], event.data["payment_status"]) == (
        "2026-12-01T09:00:00Z",
        "jane@example.com",
        "paid",
    )
    assert [answer["value"] for answer in event.data["answers"]] == ["Right handed"]
    assert b"527ed24841" not in outcome.fetched[0].body


@pytest.mark.parametrize("as_array", [True, False])
def test_the_calendar_is_compared_with_what_was_told_and_read_where_it_differs(standins: StandIns, as_array: bool):
    service = standins["amelia"]
    service.as_array = as_array
    for number in (1, 2):
        service.book(number, start=soon())
    # The first one came by webhook, in Amelia's own shape: lists as objects with number keys.
    hooked = {**service.appointments[1], "bookings": {"0": service.appointments[1]["bookings"][0]}}
    body = {"appointment": hooked, "bookings": hooked["bookings"]}
    store(PROVIDERS["amelia"], json_delivery(body, query="action=bookingAdded"))
    assert vars(backfill.run("amelia")) == {"fetched": 2, "new": 1, "known": 1}
    assert vars(backfill.run("amelia")) == {"fetched": 0, "new": 0, "known": 0}
    service.appointments[1]["status"] = service.appointments[1]["bookings"][0]["status"] = "canceled"
    assert vars(backfill.run("amelia")) == {"fetched": 1, "new": 1, "known": 0}
    newest = InboundEvent.objects.order_by("-received_at").first()
    (event,) = PROVIDERS["amelia"].parse(newest.delivery())
    assert (event.kind, event.source_id) == (EventKind.BOOKING_CANCELED, "1")


def test_a_whole_history_may_be_read_again_without_news(standins: StandIns):
    standins["amelia"].book(1, start=soon())
    since = datetime.now(timezone.utc) - timedelta(days=30)
    assert backfill.run("amelia", since=since).new == 1
    assert vars(backfill.run("amelia", since=since)) == {"fetched": 1, "new": 0, "known": 1}


def test_the_published_list_of_appointments_is_understood(standins: StandIns):
    body = b'{"data": {"appointments": {"2026-07-20": {"appointments": [{"id": 533}, {"id": 534}]}}}}'
    assert [row["id"] for row in _appointments(Answer(200, {}, body))] == [533, 534]


# -- Tutor LMS ------------------------------------------------------------------------------------------------------
def test_an_enrolment_is_made_once_and_made_active_where_that_is_wanted(standins: StandIns):
    wanted = {"user_id": "225", "course_id": "4505"}
    first = run("tutorlm", "enrolment.create", wanted)
    again = run("tutorlm", "enrolment.create", {**wanted, "status": "completed"})
    assert first.result["enrollment_id"] == again.result["enrollment_id"]
    assert [row["status"] for row in standins["tutorlm"].enrolments.values()] == ["completed"]


def test_a_refused_enrolment_says_which_field_is_wrong(standins: StandIns):
    with pytest.raises(Rejected, match="Enrollment create failed course_id: Course ID is invalid"):
        run("tutorlm", "enrolment.create", {"user_id": "225", "course_id": "1"})


def test_an_enrolment_that_the_bridge_told_is_recognised(standins: StandIns):
    service = standins["tutorlm"]
    number = service.enrol(123, 4505)
    service.enrol(124, 4506)
    bridge = payload("tutorlm/course_enrolled.json")
    bridge["data"] |= {"user_id": 123, "course_id": 4505, "enrollment_id": number}
    assert kept("tutorlm", [json_delivery(bridge)]) == [True]
    found, _ = history("tutorlm")
    assert kept("tutorlm", found) == [False, True]
    assert [(event.kind, event.data["student"]["email"]) for event in told("tutorlm", found)] == [
        (EventKind.COURSE_ENROLLED, "jane@example.com")
    ] * 2


# -- UserFeedback ---------------------------------------------------------------------------------------------------
def test_responses_are_read_from_the_last_known_one_on_with_their_questions(standins: StandIns):
    service = standins["userfeedback"]
    service.survey(12, "After the retreat")
    for number in range(1, 61):
        service.respond(12, number, 9)
    hooked = payload("userfeedback/survey_response.hook_arguments.json") | {"survey_id": "12", "response_id": 60}
    assert kept("userfeedback", [json_delivery(hooked)]) == [True]
    found, cursor = history("userfeedback", since=datetime(2026, 3, 1, tzinfo=timezone.utc))
    assert (kept("userfeedback", found).count(True), len(found), cursor) == (59, 60, {"last": {"12": 60}})
    (event,) = told("userfeedback", found[:1])
    assert (event.source_id, event.data["survey_title"], event.data["person"]["email"]) == (
        "60",
        "After the retreat",
        "p60@example.com",
    )
    assert [answer["question"] for answer in event.data["answers"]] == ["How was it?", "Your e-mail"]
    service.respond(12, 61, 3)
    assert len(history("userfeedback", cursor)[0]) == 1


def test_the_first_reading_of_responses_stops_at_the_time_that_was_asked_for(standins: StandIns):
    standins["userfeedback"].survey(12, "Old")
    standins["userfeedback"].respond(12, 1, 9)
    assert history("userfeedback", since=datetime(2026, 6, 1, tzinfo=timezone.utc))[0] == []


# -- Plaud ----------------------------------------------------------------------------------------------------------
def _with_token(settings: Any, **more: str) -> None:
    options = {**settings.PROVIDERS["plaud"], "access_token": ACCESS_TOKEN, **more}
    settings.PROVIDERS = {**settings.PROVIDERS, "plaud": options}


def _file(**more: Any) -> dict[str, Any]:
    spoken = '[{"start_time":0,"end_time":1250,"content":"Hi","speaker":"Alex"},{"content":"Hello","speaker":"Sam"}]'
    return {
        "id": "file-1",
        "name": "Standup",
        "created_at": "2026-11-20T15:00:00.000Z",
        "start_at": "2026-11-20T15:00:00.000Z",
        "duration": 120000,
        "source_list": [{"data_type": "transaction_polish", "data_content": spoken}],
        "note_list": [{"data_type": "auto_sum_note", "data_content": "## Summary"}],
        **more,
    }


def test_a_partners_transcription_comes_back_with_its_text(standins: StandIns):
    service = standins["plaud"]
    service.transcriptions["t1"] = {"transcription_id": "t1", "status": "PENDING", "data": {}}
    with pytest.raises(Retryable, match="t1 is PENDING"):
        run("plaud", "transcript.read", {"transcription_id": "t1"})
    data = {"text": "Meeting started.", "language": "en", "duration": 1843}
    service.transcriptions["t1"] = {"transcription_id": "t1", "status": "SUCCESS", "data": data}
    (event,) = events_of("plaud", run("plaud", "transcript.read", {"transcription_id": "t1", "file_id": "f1"}))
    assert (event.kind, event.data["transcript"], event.data["file_id"], event.data["duration_seconds"]) == (
        EventKind.TRANSCRIPT_COMPLETED,
        "Meeting started.",
        "f1",
        "1843",
    )
    service.transcriptions["t1"]["status"] = "FAILURE"
    (event,) = events_of("plaud", run("plaud", "transcript.read", {"transcription_id": "t1"}))
    assert event.kind == EventKind.TRANSCRIPT_FAILED


def test_an_ordinary_accounts_recording_is_read_with_who_said_what(standins: StandIns, settings: Any):
    _with_token(settings)
    standins["plaud"].files.append(_file())
    (event,) = events_of("plaud", run("plaud", "transcript.read", {"file_id": "file-1"}))
    assert (event.data["transcript"], event.data["summary"], event.data["title"]) == (
        "Alex: Hi\nSam: Hello",
        "## Summary",
        "Standup",
    )
    found, cursor = history("plaud")
    assert (len(found), list(cursor), kept("plaud", [*found, *found])) == (1, ["until"], [True, False])


def test_a_linked_text_is_fetched_from_allowed_hosts_only(standins: StandIns, settings: Any):
    _with_token(settings)
    link = "https://private.invalid/transcript?token=do-not-persist"
    source = [{"data_type": "transaction", "data_content": "", "data_link": link}]
    standins["plaud"].files.append(_file(source_list=source))
    with pytest.raises(Permanent, match=r"keeps the text at private\.invalid.*PLAUD_FILE_HOSTS"):
        run("plaud", "transcript.read", {"file_id": "file-1"})


def test_a_recording_that_is_not_transcribed_yet_is_asked_for_again(standins: StandIns, settings: Any):
    _with_token(settings)
    standins["plaud"].files.append(_file(source_list=[], note_list=[]))
    with pytest.raises(Retryable, match="has not transcribed recording file-1 yet") as caught:
        run("plaud", "transcript.read", {"file_id": "file-1"})
    assert caught.value.retry_after == 300.0
    assert history("plaud")[0] == []
