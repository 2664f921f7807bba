"""Circle.so's Admin API v2, as far as it is called."""

from __future__ import annotations

from typing import Any

from tests.standins.server import Case, Reply, Request, Service, route

API = "/api/admin/v2"


def _ada(service: Circle) -> None:
    service.join("ada@example.org", "Ada Lovelace")


def _tagged(service: Circle) -> None:
    _ada(service)
    service.tagged.append(("ada@example.org", 7))


class Circle(Service):
    slug = "circle"
    options = {"api_token": "circle-standin-0123456789", "community_id": ""}
    cases = (
        Case("member.invite", {"email": "ada@example.org", "name": "Ada", "space_ids": [4], "tags": ["Retreat 2026"]}),
        Case("member.tag", {"email": "ada@example.org", "tag": "retreat 2026"}, _ada),
        Case("member.tag", {"email": "ada@example.org", "tag": "7", "remove": True}, _tagged),
        Case("member.read", {"member_id": "77"}, _ada),
        Case("member.read", {"email": "ada@example.org"}, _ada),
        Case("member.read", {"email": "nobody@example.org"}, _ada),
        Case("person.erase", {"emails": ["ada@example.org"], "ids": ["77"]}, _ada),
    )

    def __init__(self) -> None:
        super().__init__()
        self.members: dict[int, dict[str, Any]] = {}
        self.tags = {6: "Newcomer", 7: "Retreat 2026"}
        self.tagged: list[tuple[str, int]] = []
        self.posts: list[dict[str, Any]] = []
        self.comments: list[dict[str, Any]] = []

    def authorised(self, request: Request) -> bool:
        return request.headers.get("authorization") == f"Token {self.options['api_token']}"

    def unauthorised(self) -> Reply:
        return Reply(401, {"success": False, "message": "The API token is invalid.", "error_details": {}})

    def error(self, status: int) -> Any:
        return {"success": False, "message": "Oops! Missing record. Please try again later.", "error_details": {}}

    def snapshot(self) -> Any:
        return {"members": self.members, "tagged": sorted(self.tagged)}

    def join(self, email: str, name: str = "", **more: Any) -> dict[str, Any]:
        number = 77 + len(self.members)
        self.members[number] = {
            "id": number,
            "email": email,
            "name": name,
            "community_id": 1,
            "created_at": "2026-11-20T10:00:00.000Z",
            "updated_at": "2026-11-20T10:00:00.000Z",
            "active": True,
            **more,
        }
        return self.shown(number)

    def shown(self, number: int) -> dict[str, Any]:
        row = self.members[number]
        names = [{"id": tag, "name": self.tags[tag]} for email, tag in self.tagged if email == row["email"]]
        return {**row, "member_tags": names}

    def _by_email(self, email: str) -> int:
        return next((key for key, row in self.members.items() if row["email"].lower() == email.lower()), 0)

    def _page(self, request: Request, rows: list[Any]) -> Reply:
        page, size = int(request.query.get("page", 1)), int(request.query.get("per_page", 10))
        shown = rows[(page - 1) * size : page * size]
        more = page * size < len(rows)
        return Reply(200, {"page": page, "per_page": size, "has_next_page": more, "count": len(rows), "records": shown})

    @route("GET", f"{API}/community_members")
    def list_members(self, request: Request) -> Reply:
        return self._page(request, [self.shown(number) for number in sorted(self.members, reverse=True)])

    @route("GET", f"{API}/community_members/search")
    def search(self, request: Request) -> Reply:
        found = self._by_email(request.query["email"])
        return Reply(200, self.shown(found)) if found else Reply(404, self.error(404))

    @route("GET", rf"{API}/community_members/(\d+)")
    def read_member(self, request: Request, number: str) -> Reply:
        known = int(number) in self.members
        return Reply(200, self.shown(int(number))) if known else Reply(404, self.error(404))

    @route("PUT", rf"{API}/community_members/(\d+)/delete_member")
    def delete_member(self, request: Request, number: str) -> Reply:
        gone = self.members.pop(int(number), None)
        return Reply(200, {"success": True}) if gone else Reply(404, self.error(404))

    @route("POST", f"{API}/community_members")
    def create_member(self, request: Request) -> Reply:
        body = request.json
        if self._by_email(body["email"]):
            return Reply(422, {"success": False, "message": "Validation failed: already a member", "error_details": {}})
        made = self.join(body["email"], body.get("name", ""), space_ids=body.get("space_ids", []))
        self.tagged += [(body["email"], tag) for tag in body.get("member_tag_ids", [])]
        return Reply(201, {"message": "This user has been invited.", "community_member": self.shown(made["id"])})

    @route("GET", f"{API}/member_tags")
    def list_tags(self, request: Request) -> Reply:
        return self._page(request, [{"id": key, "name": name} for key, name in self.tags.items()])

    @route("POST", f"{API}/tagged_members")
    def tag(self, request: Request) -> Reply:
        pair = (request.json["user_email"], request.json["member_tag_id"])
        if not self._by_email(pair[0]):
            return Reply(404, self.error(404))
        if pair in self.tagged:
            return Reply(422, {"success": False, "message": "Validation failed: has the tag", "error_details": {}})
        self.tagged.append(pair)
        return Reply(201, {"message": "Person tagged successfully!"})

    @route("DELETE", f"{API}/tagged_members")
    def untag(self, request: Request) -> Reply:
        pair = (request.query["user_email"], int(request.query["member_tag_id"]))
        if pair not in self.tagged:
            return Reply(404, self.error(404))
        self.tagged.remove(pair)
        return Reply(200, {"message": "Person untagged."})

    @route("GET", f"{API}/posts")
    def list_posts(self, request: Request) -> Reply:
        return self._page(request, self.posts)

    @route("GET", f"{API}/comments")
    def list_comments(self, request: Request) -> Reply:
        return self._page(request, self.comments)
