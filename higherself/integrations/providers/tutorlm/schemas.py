"""What a student did, as the bridges to Tutor LMS send it.

"Tutor LMS Advanced Tracking" wraps it in ``{"event", "timestamp", "site_url", "data"}``; WP Webhooks sends ids and the
course's post, without the event's name and without the student's address; a plug-in of one's own should send the first
shape. Source: the bridges' code. Numbers may come as texts.
"""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import AliasChoices, Field

from higherself.integrations.reading import Amount, Named, Part, Text


def _either(*names: str) -> Any:
    return AliasChoices(*names)


class Envelope(Part):
    event: Text = ""
    timestamp: Text = ""
    site_url: Text = Field(default="", validation_alias=_either("site_url", "site"))
    data: Named = {}


class Doing(Part):
    wanted: ClassVar[tuple[str, ...]] = ("user_id", "course_id", "user_email")

    user_id: Text = Field(default="", validation_alias=_either("user_id", "student_id"))
    user_email: Text = Field(default="", validation_alias=_either("user_email", "email", "student_email"))
    user_name: Text = Field(default="", validation_alias=_either("user_name", "display_name", "student_name"))
    course_id: Text = ""
    course_title: Text = ""
    course: Named = {}
    enrollment_id: Text = Field(default="", validation_alias=_either("enrollment_id", "enrol_id"))
    enrolled_at: Text = ""
    completed_at: Text = ""
    lesson_id: Text = ""
    lesson_title: Text = ""
    lesson: Named = {}
    quiz_id: Text = ""
    quiz_title: Text = ""
    quiz: Named = {}
    attempt_id: Text = ""
    attempt: Named = {}
    result: Text = ""
    score: Amount = Field(default=None, validation_alias=_either("score", "earned_marks", "percentage"))
