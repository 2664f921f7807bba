"""What may be wanted of Tutor LMS."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from higherself.integrations.client import Payload


class Enrolment(Payload):
    """A student for a course, both by their ids on the site. ``status`` sets how the enrolment stands afterwards: a
    course that is for sale would leave it pending. ("completed" means that the enrolment is active, not that the
    course was finished.)
    """

    user_id: str = Field(pattern=r"^\d+$")
    course_id: str = Field(pattern=r"^\d+$")
    status: Literal["", "completed", "pending", "on-hold", "cancel"] = ""

    @property
    def name(self) -> str:
        return f"{self.user_id}:{self.course_id}"
