"""What may be wanted of Tutor LMS."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from higherself.integrations.client import Payload


class Enrolment(Payload):
    """A student for a course, by its id on the site. The student is named by their id there; where only the address is
    known, the site is asked for it, which takes a WordPress user's application password. ``status`` sets how the
    enrolment stands afterwards: a course that is for sale would leave it pending. ("completed" means that the enrolment
    is active, not that the course was finished.)
    """

    user_id: str = Field(default="", pattern=r"^\d*$")
    email: str = ""
    course_id: str = Field(pattern=r"^\d+$")
    status: Literal["", "completed", "pending", "on-hold", "cancel"] = ""

    @model_validator(mode="after")
    def _named(self) -> Enrolment:
        if not (self.user_id or self.email):
            raise ValueError("user_id or email has to be given")
        return self

    @property
    def name(self) -> str:
        """By the address, where there is one: it is the same whether or not the id is known."""
        return f"{self.email.lower() or self.user_id}:{self.course_id}"
