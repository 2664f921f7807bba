"""Calls to Typeform: webhooks of forms, and past responses. Sources: Typeform's webhooks and responses references."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

from pydantic import Field

from higherself.core.errors import Permanent
from higherself.core.http import Answer, segment
from higherself.integrations.client import (
    Attempt,
    Hook,
    Once,
    Outcome,
    Page,
    Payload,
    ProviderClient,
    Traces,
    erasure,
    operation,
)
from higherself.integrations.delivery import Delivery
from higherself.integrations.reading import time_of

# Our webhook's name within a form; to put it again replaces it.
TAG = "higherself"
_EVENTS = {"form_response": True, "form_response_partial": True}
_FORMS, _RESPONSES = 200, 1000
# "Very recent responses (say within the last 30 minutes) may not be returned" (Typeform: retrieve responses).
_OVERLAP = timedelta(minutes=60)


class Webhook(Payload):
    """One form's webhook. Its secret is the configured one: it stands in no call."""

    form_id: str = Field(min_length=1)
    url: str = Field(min_length=8)


class TypeformClient(ProviderClient):
    needs = ("api_token",)
    # Two requests a second for the account (Typeform: responses reference).
    per_second = 2.0
    backfill_minutes = 15

    def credentials(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.options['api_token']}"}

    def explain(self, answer: Answer) -> str:
        body = answer.peek
        return " ".join(str(body[name]) for name in ("code", "description") if body.get(name))

    def check(self) -> None:
        self.get("/forms", params={"page_size": 1})

    # -- webhooks -------------------------------------------------------------------------------------------------
    @operation("webhook.register", Webhook, once=Once.UPSERT, record=lambda item: f"form:{item.form_id}")
    def register(self, webhook: Webhook, attempt: Attempt) -> Outcome:
        secret = self.options.get("webhook_secret", "").split(",")[0].strip()
        if not secret:
            raise Permanent("Set TYPEFORM_WEBHOOK_SECRET first: without a secret Typeform does not sign.")
        hook = self._put(webhook.form_id, webhook.url, secret)
        return Outcome({"id": hook.remote_id, "change": hook.change})

    def register_webhooks(self, url: str, secret: str, known: Mapping[str, str]) -> Iterable[Hook]:
        for form in self._forms():
            if not self.only or form["id"] in self.only:
                yield self._put(str(form["id"]), url, secret)

    def _put(self, form_id: str, url: str, secret: str) -> Hook:
        """Creates or replaces. Whether its parts are merged or replaced is not documented: all are sent."""
        path = f"/forms/{segment(form_id)}/webhooks/{TAG}"
        found = self.get(path, accept=(404,))
        before = found.object if found.status == 200 else {}
        wanted = {"url": url, "enabled": True, "event_types": _EVENTS}
        if all(before.get(name) == value for name, value in wanted.items()) and before.get("secret", secret) == secret:
            return Hook(form_id, str(before.get("id", "")), url, "unchanged")
        made = self.put(path, json={**wanted, "secret": secret}).object
        return Hook(form_id, str(made.get("id", "")), url, "updated" if before else "created")

    def _forms(self) -> Iterator[dict[str, Any]]:
        page = 1
        while True:
            answer = self.get("/forms", params={"page": page, "page_size": _FORMS}).object
            yield from answer.get("items", [])
            page += 1
            if page > int(answer.get("page_count") or 1):
                return

    # -- people ---------------------------------------------------------------------------------------------------
    @erasure()
    def erase(self, wanted: Traces, attempt: Attempt) -> Outcome:
        """All responses, of any form, in which an address of the person stands; begun and unfinished ones, too.

        Typeform deletes them a little later (Typeform: delete responses).
        """
        erased = 0
        for form in self._forms():
            path = f"/forms/{segment(form['id'])}/responses"
            tokens = {token for mail in wanted.emails for token in self._responses_of(path, mail)}
            if tokens:
                self.delete(path, params={"included_tokens": ",".join(sorted(tokens))}, accept=(404,))
            erased += len(tokens)
        return Outcome({"erased": erased})

    def _responses_of(self, path: str, mail: str) -> list[str]:
        """``query`` finds texts that contain the address: what is somebody else's longer one is left out."""
        params = {"query": mail, "page_size": _RESPONSES, "response_type": "started,partial,completed"}
        items = self.get(path, params=params).object.get("items", [])
        return [str(item["token"]) for item in items if _is_named(item, mail)]

    # -- history --------------------------------------------------------------------------------------------------
    def backfill(self, since: datetime, cursor: dict[str, Any]) -> Iterator[Page]:
        """The responses of each form. They come newest first: a form's cursor moves when all of them are there."""
        done = dict(cursor.get("forms") or {})
        for form in self._forms():
            form_id = str(form["id"])
            start = (time_of(done.get(form_id)) or since) - _OVERLAP
            definition: dict[str, Any] = {}
            newest = start + _OVERLAP
            for items in self._responses(form_id, start):
                definition = definition or self.get(f"/forms/{segment(form_id)}").object
                newest = max([newest, *filter(None, (time_of(item.get("submitted_at")) for item in items))])
                yield Page([_delivery(form_id, definition, item) for item in items], {"forms": dict(done)})
            done[form_id] = newest.isoformat()
            yield Page([], {"forms": dict(done)})

    def _responses(self, form_id: str, since: datetime) -> Iterator[list[dict[str, Any]]]:
        params: dict[str, Any] = {
            "page_size": _RESPONSES,
            "since": since.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S"),
        }
        while True:
            answer = self.get(f"/forms/{segment(form_id)}/responses", params=params).object
            items = answer.get("items", [])
            if items:
                yield items
            if len(items) < _RESPONSES:
                return
            params["before"] = items[-1]["token"]


def _is_named(value: Any, mail: str) -> bool:
    """Whether the address stands anywhere in the response, by itself."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return any(_is_named(item, mail) for item in value)
    return isinstance(value, str) and value.strip().lower() == mail


def _delivery(form_id: str, definition: dict[str, Any], item: dict[str, Any]) -> Delivery:
    """As the webhook about the same response: ``token`` is the same in both (Typeform: example payload)."""
    fields = [{name: field.get(name) for name in ("id", "ref", "type", "title")} for field in _fields(definition)]
    response = {
        **{name: item[name] for name in _TAKEN if name in item},
        "form_id": form_id,
        "token": item.get("token") or item.get("response_id"),
        "definition": {"id": form_id, "title": definition.get("title") or "", "fields": fields},
    }
    body = {"event_id": item.get("landing_id") or "", "event_type": "form_response", "form_response": response}
    return Delivery(body=json.dumps(body).encode(), content_type="application/json")


_TAKEN = ("submitted_at", "landed_at", "calculated", "variables", "hidden", "answers", "response_url")


def _fields(definition: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """All questions, those within groups too."""
    for field in definition.get("fields") or []:
        yield field
        yield from _fields(field.get("properties") or {})
