"""Typeform's payload (Typeform: webhooks/example-payload). Unknown fields are kept, missing ones are allowed."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _object(value: Any) -> Any:
    return {} if value is None else value


def _list(value: Any) -> Any:
    return [] if value is None else value


Text = Annotated[str, BeforeValidator(_text)]
Objects = BeforeValidator(_list)
Object = BeforeValidator(_object)


class Part(BaseModel):
    model_config = ConfigDict(extra="allow")


class Field(Part):
    """A question. Refs that nobody set are made by Typeform and may change; ids do not."""

    id: Text = ""
    ref: Text = ""
    type: Text = ""
    title: Text = ""


class Answer(Part):
    """The value stands under the key that ``type`` names: ``{"type": "email", "email": …}``."""

    type: Text = ""
    field: Annotated[Field, Object] = Field()


class Variable(Part):
    key: Text = ""
    type: Text = ""


class Definition(Part):
    id: Text = ""
    title: Text = ""
    fields: Annotated[list[Field], Objects] = []


class Response(Part):
    """``token`` is the response's id in the Responses API too; ``answers`` holds answered questions only."""

    form_id: Text = ""
    token: Text = ""
    submitted_at: Text = ""
    landed_at: Text = ""
    hidden: Annotated[dict[str, Any], Object] = {}
    variables: Annotated[list[Variable], Objects] = []
    calculated: Annotated[dict[str, Any], Object] = {}
    definition: Annotated[Definition, Object] = Definition()
    answers: Annotated[list[Answer], Objects] = []
    response_url: Text = ""


class Payload(Part):
    event_id: Text = ""
    event_type: Text = ""
    form_response: Response
