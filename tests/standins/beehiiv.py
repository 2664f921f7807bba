"""Beehiiv: readers, segments, posts, webhooks."""

from __future__ import annotations

from typing import Any

from tests.standins.server import Case, Reply, Request, Service, route

HOME = "/v2/publications/pub_1"


def _ada(service: Beehiiv) -> None:
    service.add("ada@example.org", "active")


class Beehiiv(Service):
    slug = "beehiiv"
    options = {"api_key": "beehiiv-standin-0123456789", "publication_id": "pub_1"}
    cases = (
        Case("subscription.upsert", {"email": "ada@example.org", "first_name": "Ada", "tags": ["Lead"]}),
        Case("subscription.upsert", {"email": "ada@example.org", "custom_fields": {"Segment": "VIP"}}, _ada),
        Case("subscription.upsert", {"email": "ada@example.org", "unsubscribe": True}, _ada),
        Case(
            "subscription.upsert",
            {"email": "ada@example.org", "reactivate": True},
            lambda service: service.add("ada@example.org", "inactive"),
        ),
        Case("person.erase", {"emails": ["ada@example.org"]}, _ada),
        Case("segments.read", {"members_of": ["seg_1"]}),
        Case("post.stats", {"post_id": "post_1"}),
    )

    def __init__(self) -> None:
        super().__init__()
        self.readers: dict[str, dict[str, Any]] = {}
        self.fields: list[str] = ["First Name"]
        self.posts: dict[str, dict[str, Any]] = {"post_1": self.post("post_1", 1763892000)}
        self.segments = [{"id": "seg_1", "name": "VIP", "type": "dynamic", "status": "completed", "total_results": 1}]
        self.hooks: dict[str, dict[str, Any]] = {}

    @staticmethod
    def post(post_id: str, published: int) -> dict[str, Any]:
        email = {"recipients": 100, "delivered": 100, "opens": 50, "unique_opens": 45, "clicks": 10}
        return {
            "id": post_id,
            "title": "News",
            "status": "confirmed",
            "created": published,
            "publish_date": published,
            "web_url": "https://news.example.com/p/news",
            "content": {"free": {"web": "<p>long</p>"}},
            "stats": {"email": {**email, "unique_clicks": 8, "unsubscribes": 1, "spam_reports": 0}},
        }

    def add(self, email: str, status: str = "active", created: int = 1763892000) -> dict[str, Any]:
        row = {"id": f"sub_{self.next_id()}", "email": email, "status": status, "created": created, "tags": []}
        self.readers[row["id"]] = row
        return row

    def authorised(self, request: Request) -> bool:
        return request.bearer == self.options["api_key"] and request.path.startswith(HOME)

    def unauthorised(self) -> Reply:
        return Reply(401, self.error(401))

    def error(self, status: int) -> Any:
        errors = [{"message": f"error {status}", "code": "CODE"}]
        return {"status": status, "statusText": "error", "errors": errors}

    def snapshot(self) -> Any:
        return {"readers": self.readers, "fields": self.fields, "hooks": self.hooks}

    @route("GET", HOME)
    def publication(self, request: Request) -> Reply:
        return Reply(200, {"data": {"id": "pub_1", "name": "HigherSelf"}})

    @route("GET", rf"{HOME}/subscriptions/by_email/([^/]+)")
    def by_email(self, request: Request, email: str) -> Reply:
        row = next((row for row in self.readers.values() if row["email"] == email.lower()), None)
        return Reply(200, {"data": row}) if row else Reply(404, self.error(404))

    @route("POST", rf"{HOME}/subscriptions")
    def subscribe(self, request: Request) -> Reply:
        body = request.json
        row = next((row for row in self.readers.values() if row["email"] == body["email"]), None)
        if row is None:
            row = self.add(body["email"], "validating")
        elif body["reactivate_existing"]:
            row["status"] = "active"
        self._fill(row, body)
        return Reply(201, {"data": row})

    @route("PUT", rf"{HOME}/subscriptions/([^/]+)")
    def change(self, request: Request, key: str) -> Reply:
        if request.json.get("unsubscribe"):
            self.readers[key]["status"] = "inactive"
        self._fill(self.readers[key], request.json)
        return Reply(200, {"data": self.readers[key]})

    @route("DELETE", rf"{HOME}/subscriptions/([^/]+)")
    def remove(self, request: Request, key: str) -> Reply:
        return Reply(204) if self.readers.pop(key, None) else Reply(404, self.error(404))

    def _fill(self, row: dict[str, Any], body: dict[str, Any]) -> None:
        """Values of fields that do not exist are dropped in silence, as Beehiiv does."""
        known = [item for item in body.get("custom_fields", []) if item["name"] in self.fields]
        if known:
            row["custom_fields"] = known

    @route("POST", rf"{HOME}/subscriptions/([^/]+)/tags")
    def tag(self, request: Request, key: str) -> Reply:
        row = self.readers[key]
        row["tags"] = sorted({*row["tags"], *request.json["tags"]})
        return Reply(200, {"data": row})

    @route("GET", rf"{HOME}/subscriptions")
    def list_readers(self, request: Request) -> Reply:
        rows = sorted(self.readers.values(), key=lambda row: -row["created"])
        rows = [row for row in rows if request.query.get("status") in (None, row["status"])]
        start, size = int(request.query.get("cursor") or 0), int(request.query["limit"])
        more = start + size < len(rows)
        paging = {"has_more": more, "next_cursor": str(start + size) if more else None}
        return Reply(200, {"data": rows[start : start + size], "limit": size, **paging})

    @route("GET", rf"{HOME}/custom_fields")
    def list_fields(self, request: Request) -> Reply:
        return self._page([{"kind": "string", "display": name} for name in self.fields], request)

    @route("POST", rf"{HOME}/custom_fields")
    def create_field(self, request: Request) -> Reply:
        self.fields.append(request.json["display"])
        return Reply(201, {"data": request.json})

    @route("GET", rf"{HOME}/segments")
    def list_segments(self, request: Request) -> Reply:
        return self._page(self.segments, request)

    @route("GET", rf"{HOME}/segments/([^/]+)/members")
    def members(self, request: Request, key: str) -> Reply:
        return self._page(list(self.readers), request)

    @route("GET", rf"{HOME}/posts")
    def list_posts(self, request: Request) -> Reply:
        return self._page(sorted(self.posts.values(), key=lambda row: -row["publish_date"]), request)

    @route("GET", rf"{HOME}/posts/([^/]+)")
    def read_post(self, request: Request, key: str) -> Reply:
        return Reply(200, {"data": self.posts[key]}) if key in self.posts else Reply(404, self.error(404))

    @route("GET", rf"{HOME}/webhooks")
    def list_hooks(self, request: Request) -> Reply:
        return self._page(list(self.hooks.values()), request)

    @route("POST", rf"{HOME}/webhooks")
    def create_hook(self, request: Request) -> Reply:
        hook = {"id": f"ep_{self.next_id()}", **request.json}
        self.hooks[hook["id"]] = hook
        return Reply(201, {"data": hook})

    @route("PUT", rf"{HOME}/webhooks/([^/]+)")
    def change_hook(self, request: Request, key: str) -> Reply:
        self.hooks[key].update(request.json)
        return Reply(200, {"data": self.hooks[key]})

    def _page(self, rows: list[Any], request: Request) -> Reply:
        size, page = int(request.query["limit"]), int(request.query.get("page", 1))
        pages = max(1, -(-len(rows) // size))
        found = rows[(page - 1) * size : page * size]
        return Reply(200, {"data": found, "limit": size, "page": page, "total_pages": pages})
