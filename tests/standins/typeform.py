"""Typeform: forms, their webhooks, and their responses."""

from __future__ import annotations

import json
from typing import Any

from tests.standins.server import Case, Reply, Request, Service, route


def _answered(service: Typeform) -> None:
    service.respond("t1", "2026-11-20T10:00:00Z")
    service.respond("t2", "2026-11-21T10:00:00Z", "xada@example.org")
    service.respond("t3", "2026-11-22T10:00:00Z", "Ada@Example.org")


class Typeform(Service):
    slug = "typeform"
    options = {"api_token": "tfp_standin_0123456789", "webhook_secret": "typeform-webhook-secret"}
    cases = (
        Case("webhook.register", {"form_id": "abc123", "url": "https://hub.example.org/webhooks/typeform"}),
        Case("person.erase", {"emails": ["ada@example.org"]}, _answered),
    )

    def __init__(self) -> None:
        super().__init__()
        self.forms: dict[str, dict[str, Any]] = {
            "abc123": {
                "id": "abc123",
                "title": "Contact",
                "fields": [
                    {"id": "f1", "ref": "email", "type": "email", "title": "Your address"},
                    {"id": "f2", "ref": "name", "type": "short_text", "title": "Your name"},
                ],
            }
        }
        self.responses: dict[str, list[dict[str, Any]]] = {"abc123": []}
        self.hooks: dict[str, dict[str, Any]] = {}

    def authorised(self, request: Request) -> bool:
        return request.bearer == self.options["api_token"]

    def unauthorised(self) -> Reply:
        words = "Authentication credentials not found on the Request Headers"
        return Reply(401, {"code": "AUTHENTICATION_FAILED", "description": words})

    def error(self, status: int) -> Any:
        return {"code": "FORM_NOT_FOUND" if status == 404 else "ERROR", "description": f"error {status}"}

    def snapshot(self) -> Any:
        return {
            "hooks": self.hooks,
            "responses": {key: [row["token"] for row in self.responses[key]] for key in self.forms},
        }

    def respond(self, token: str, submitted_at: str, email: str = "ada@example.org") -> None:
        """Somebody fills in the form."""
        answers = [{"type": "email", "email": email, "field": {"id": "f1", "type": "email", "ref": "email"}}]
        response = {"token": token, "response_id": token, "landing_id": token, "landed_at": submitted_at}
        self.responses["abc123"].insert(0, {**response, "submitted_at": submitted_at, "answers": answers})

    @route("GET", r"/forms")
    def list_forms(self, request: Request) -> Reply:
        items = [{"id": form["id"], "title": form["title"]} for form in self.forms.values()]
        return Reply(200, {"total_items": len(items), "page_count": 1, "items": items})

    @route("GET", r"/forms/([^/]+)")
    def read_form(self, request: Request, form_id: str) -> Reply:
        return Reply(200, self.forms[form_id]) if form_id in self.forms else Reply(404, self.error(404))

    @route("GET", r"/forms/([^/]+)/webhooks/([^/]+)")
    def read_hook(self, request: Request, form_id: str, tag: str) -> Reply:
        hook = self.hooks.get(f"{form_id}/{tag}")
        return Reply(200, hook) if hook else Reply(404, self.error(404))

    @route("PUT", r"/forms/([^/]+)/webhooks/([^/]+)")
    def put_hook(self, request: Request, form_id: str, tag: str) -> Reply:
        if not request.json["url"].startswith("https://"):
            return Reply(400, {"code": "webhook_url_https_required", "description": "https only"})
        key = f"{form_id}/{tag}"
        hook_id = self.hooks[key]["id"] if key in self.hooks else f"hook{self.next_id()}"
        self.hooks[key] = {"id": hook_id, "form_id": form_id, "tag": tag, "verify_ssl": True, **request.json}
        return Reply(200, self.hooks[key])

    @route("GET", r"/forms/([^/]+)/responses")
    def list_responses(self, request: Request, form_id: str) -> Reply:
        """Newest first; ``before`` is exclusive, ``since`` inclusive; ``query`` is looked for in all texts."""
        rows = [row for row in self.responses[form_id] if row["submitted_at"] >= request.query.get("since", "")]
        rows = [row for row in rows if request.query.get("query", "").lower() in json.dumps(row).lower()]
        if "before" in request.query:
            tokens = [row["token"] for row in rows]
            rows = rows[tokens.index(request.query["before"]) + 1 :]
        size = int(request.query.get("page_size", 25))
        return Reply(200, {"total_items": len(rows), "page_count": 1, "items": rows[:size]})

    @route("DELETE", r"/forms/([^/]+)/responses")
    def delete_responses(self, request: Request, form_id: str) -> Reply:
        named = request.query["included_tokens"].split(",")
        self.responses[form_id] = [row for row in self.responses[form_id] if row["token"] not in named]
        return Reply(200)
