"""Snov.io's API, as far as it is called. Access tokens end when told so."""

from __future__ import annotations

from typing import Any

from tests.standins.server import Case, Reply, Request, Service, route

ADA = {"list_id": "42", "email": "ada@example.org", "first_name": "Ada", "last_name": "Lovelace", "company": "Engines"}


def _ada(service: Snovio) -> None:
    service.prospects["ada@example.org"] = {"id": "p1==", "name": "Ada Lovelace", "lists": [], "campaigns": []}


class Snovio(Service):
    slug = "snovio"
    options = {"client_id": "snovio-standin-id-0123456789", "client_secret": "snovio-standin-secret-0123"}
    cases = (
        Case("prospect.add", ADA),
        Case("prospect.add", {**ADA, "position": "Countess"}, _ada),
        Case("prospect.enrich", {"email": "ada@example.org", "campaign_id": "9"}, _ada),
        Case("prospect.enrich", {"email": "nobody@example.org"}, _ada),
    )

    def __init__(self) -> None:
        super().__init__()
        self.prospects: dict[str, dict[str, Any]] = {}
        self.tokens: list[str] = []
        self.hooks: list[dict[str, Any]] = []
        self.campaigns: list[dict[str, Any]] = []
        self.activity: dict[str, list[dict[str, Any]]] = {}
        self.replies: dict[str, list[dict[str, Any]]] = {}

    def authorised(self, request: Request) -> bool:
        return request.path == "/v1/oauth/access_token" or request.bearer in self.tokens

    def unauthorised(self) -> Reply:
        return Reply(401, {"success": False, "errors": ["The token is not valid"]})

    def error(self, status: int) -> Any:
        return {"errors": {"code": status, "title": "Sorry, but url or entity not found", "source": ""}}

    def snapshot(self) -> Any:
        return self.prospects

    @route("POST", "/v1/oauth/access_token")
    def token(self, request: Request) -> Reply:
        form = request.form
        if (form.get("client_id"), form.get("client_secret")) != tuple(self.options.values()):
            return Reply(401, {"error": "invalid_client", "error_description": "Client authentication failed"})
        self.tokens.append(f"snovio-token-{len(self.tokens) + 1}-0123456789")
        return Reply(200, {"access_token": self.tokens[-1], "token_type": "Bearer", "expires_in": 3600})

    @route("GET", "/v1/get-balance")
    def balance(self, request: Request) -> Reply:
        return Reply(200, {"success": True, "data": {"balance": "100.00"}})

    @route("POST", "/v1/add-prospect-to-list")
    def add(self, request: Request) -> Reply:
        body = request.json
        known = body["email"] in self.prospects
        row = self.prospects.setdefault(body["email"], {"id": f"p{self.next_id()}==", "lists": [], "campaigns": []})
        if known and not body["updateContact"]:
            return Reply(200, {"success": False, "errors": ["already there"]})
        row |= {name: body[name] for name in ("fullName", "position", "companyName") if name in body}
        row["lists"] = sorted({*row["lists"], body["listId"]})
        return Reply(200, {"success": True, "id": row["id"], "added": not known, "updated": known})

    @route("POST", "/v1/get-prospects-by-email")
    def by_email(self, request: Request) -> Reply:
        row = self.prospects.get(request.json["email"])
        if row is None:
            return Reply(200, {"success": False, "message": "There are no prospects with this email"})
        return Reply(200, {"success": True, "data": [row]})

    @route("GET", r"/v2/campaigns/(\w+)/recipient")
    def recipient(self, request: Request, campaign: str) -> Reply:
        return Reply(200, {"data": [{"email": request.query["emails[]"], "exist": True, "status": "active"}]})

    @route("GET", "/v1/get-user-campaigns")
    def list_campaigns(self, request: Request) -> Reply:
        return Reply(200, self.campaigns)

    @route("GET", r"/v2/campaigns/(\w+)/recipients-activity")
    def list_activity(self, request: Request, campaign: str) -> Reply:
        rows = [
            row
            for row in self.activity.get(campaign, [])
            if request.query["dateFrom"] <= row["event_time"][:10] <= request.query["dateTo"]
        ]
        offset, limit = int(request.query["offset"]), int(request.query["limit"])
        page = {"total": len(rows), "offset": offset, "limit": limit, "has_more": offset + limit < len(rows)}
        return Reply(200, {"data": rows[offset : offset + limit], "pagination": page})

    @route("GET", r"/v2/campaigns/(\w+)/all-replies")
    def list_replies(self, request: Request, campaign: str) -> Reply:
        offset = int(request.query["offset"])
        return Reply(200, {"data": self.replies.get(campaign, [])[offset : offset + 2]})

    @route("GET", "/v2/webhooks")
    def list_hooks(self, request: Request) -> Reply:
        return Reply(
            200, {"data": [{"data": hook} for hook in self.hooks], "meta": {"webhooks_count": len(self.hooks)}}
        )

    @route("POST", "/v2/webhooks")
    def add_hook(self, request: Request) -> Reply:
        body = request.json
        hook = {
            "id": self.next_id(),
            "end_point": body["endpoint_url"],
            "event_object": body["event_object"],
            "event_action": body["event_action"],
            "status": "active",
        }
        self.hooks.append(hook)
        return Reply(200, {"data": hook, "meta": {}})

    @route("PUT", r"/v2/webhooks/(\d+)")
    def set_hook(self, request: Request, name: str) -> Reply:
        hook = next(item for item in self.hooks if item["id"] == int(name))
        hook["status"] = request.json["status"]
        return Reply(200, {"data": hook})
