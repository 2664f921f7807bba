"""What may be wanted of Circle.so."""

from __future__ import annotations

from typing import Any

from pydantic import Field, model_validator

from higherself.integrations.client import Payload


class Person(Payload):
    """Whom it is about; one of both is enough."""

    member_id: str = ""
    email: str = ""

    @model_validator(mode="after")
    def _named(self) -> Person:
        if not (self.member_id or self.email):
            raise ValueError("member_id or email has to be given")
        return self


class Invitation(Payload):
    """``tags`` are names of member tags; ``quiet`` sends no invitation mail."""

    email: str
    name: str = ""
    space_ids: list[int] = []
    space_group_ids: list[int] = []
    tags: list[str] = []
    fields: dict[str, Any] = {}
    quiet: bool = False


class Tagging(Payload):
    """Puts a member tag on somebody, or takes it off. ``tag`` is its name, or its id."""

    email: str
    tag: str = Field(min_length=1)
    remove: bool = False
