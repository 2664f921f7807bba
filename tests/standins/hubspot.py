"""HubSpot's CRM, as far as it is called."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

from tests.standins.server import Case, Reply, Request, Service, route

API = "/crm/objects/2026-03"
_EPOCH = datetime(2026, 11, 1, tzinfo=timezone.utc)


def _ada(service: HubSpot) -> None:
    service.add("contacts", {"email": "ada@example.org"})


class HubSpot(Service):
    slug = "hubspot"
    options = {"access_token": "pat-standin-0123456789", "client_secret": "hubspot-client-secret"}
    cases = (
        Case("contact.upsert", {"email": "ada@example.org", "first_name": "Ada", "phone": "+44 20", "company": ""}),
        Case("contact.upsert", {"email": "ada@example.org", "last_name": "Lovelace"}, _ada),
        Case(
            "deal.upsert",
            {"ref": "BOOK-7", "name": "Retreat", "contact_email": "ada@example.org", "amount": "120.50"},
            _ada,
        ),
        Case("person.erase", {"emails": ["ada@example.org"], "ids": []}, _ada),
        Case("note.add", {"contact_email": "ada@example.org", "text": "Paid.", "at": "2026-11-23T10:00:00Z"}, _ada),
    )

    def __init__(self) -> None:
        super().__init__()
        self.records: dict[str, dict[str, dict[str, Any]]] = {"contacts": {}, "deals": {}, "notes": {}}
        self.links: list[tuple[str, str, str]] = []  # contact, relation, id
        self.blocked: list[str] = []

    def authorised(self, request: Request) -> bool:
        return request.bearer == self.options["access_token"]

    def unauthorised(self) -> Reply:
        words = "Authentication credentials not found."
        return Reply(401, {"status": "error", "message": words, "category": "INVALID_AUTHENTICATION"})

    def error(self, status: int) -> Any:
        if status == 429:
            return {"status": "error", "message": "You have reached your secondly limit.", "policyName": "SECONDLY"}
        return {"status": "error", "message": f"error {status}", "category": "OBJECT_NOT_FOUND"}

    def snapshot(self) -> Any:
        return {"records": self.records, "links": self.links, "blocked": self.blocked}

    def add(self, kind: str, properties: dict[str, Any]) -> dict[str, Any]:
        record_id = str(self.next_id())
        self.records[kind][record_id] = dict(properties)
        return self.shown(kind, record_id)

    def shown(self, kind: str, record_id: str) -> dict[str, Any]:
        number = int(record_id)
        stamp = (_EPOCH + timedelta(minutes=number)).isoformat().replace("+00:00", "Z")
        properties = {"createdate": stamp, "lastmodifieddate": stamp, **self.records[kind][record_id]}
        return {"id": record_id, "properties": properties, "createdAt": stamp, "updatedAt": stamp, "archived": False}

    def _by_email(self, email: str) -> str:
        rows = self.records["contacts"].items()
        return next((key for key, row in rows if row.get("email", "").lower() == email.lower()), "")

    def _named(self, request: Request, name: str) -> str:
        found = self._by_email(name) if request.query.get("idProperty") == "email" else name
        return found if found in self.records["contacts"] else ""

    @route("PATCH", rf"{API}/contacts/([^/]+)")
    def patch_contact(self, request: Request, name: str) -> Reply:
        found = self._named(request, name)
        if not found:
            return Reply(404, self.error(404))
        self.records["contacts"][found].update(request.json["properties"])
        return Reply(200, self.shown("contacts", found))

    @route("POST", rf"{API}/contacts")
    def create_contact(self, request: Request) -> Reply:
        existing = self._by_email(request.json["properties"]["email"])
        if existing:
            words = f"Contact already exists. Existing ID: {existing}"
            return Reply(409, {"status": "error", "message": words, "category": "CONFLICT"})
        return Reply(201, self.add("contacts", request.json["properties"]))

    @route("GET", rf"{API}/contacts")
    def list_contacts(self, request: Request) -> Reply:
        return Reply(200, {"results": []})

    @route("GET", rf"{API}/contacts/([^/]+)")
    def read_contact(self, request: Request, name: str) -> Reply:
        found = self._named(request, name)
        if not found:
            return Reply(404, self.error(404))
        relation = request.query.get("associations", "")
        linked = [{"id": key, "type": f"contact_to_{relation}"} for owner, kind, key in self.links if kind == relation]
        extra = {"associations": {relation: {"results": linked}}} if linked else {}
        return Reply(200, self.shown("contacts", found) | extra)

    @route("POST", rf"{API}/contacts/gdpr-delete")
    def forget(self, request: Request) -> Reply:
        """An unknown address is put on a blocklist, an unknown id is an error."""
        name = request.json["objectId"]
        found = self._by_email(name) if request.json.get("idProperty") == "email" else name
        if found in self.records["contacts"]:
            del self.records["contacts"][found]
            return Reply(204)
        if request.json.get("idProperty") != "email":
            return Reply(404, self.error(404))
        self.blocked.append(name)
        return Reply(204)

    @route("POST", rf"{API}/(deals|notes)")
    def create(self, request: Request, kind: str) -> Reply:
        made = self.add(kind, request.json["properties"])
        for item in request.json["associations"]:
            self.links.append((item["to"]["id"], kind, made["id"]))
        return Reply(201, made)

    @route("PATCH", rf"{API}/(deals)/([^/]+)")
    def patch(self, request: Request, kind: str, record_id: str) -> Reply:
        if record_id not in self.records[kind]:
            return Reply(404, self.error(404))
        self.records[kind][record_id].update(request.json["properties"])
        return Reply(200, self.shown(kind, record_id))

    @route("POST", rf"{API}/(deals|notes)/batch/read")
    def batch_read(self, request: Request, kind: str) -> Reply:
        wanted = [item["id"] for item in request.json["inputs"]]
        return Reply(200, {"status": "COMPLETE", "results": [self.shown(kind, key) for key in wanted]})

    @route("POST", rf"{API}/contacts/search")
    def search(self, request: Request) -> Reply:
        since = int(request.json["filterGroups"][0]["filters"][0]["value"])
        rows = [self.shown("contacts", key) for key in self.records["contacts"]]
        rows = sorted((row for row in rows if _ms(row) >= since), key=_ms)
        start = int(request.json.get("after") or 0)
        end = start + request.json["limit"]
        paging = {"paging": {"next": {"after": str(end)}}} if end < len(rows) else {}
        return Reply(200, {"total": len(rows), "results": rows[start:end], **paging})


def _ms(row: dict[str, Any]) -> int:
    moment = datetime.fromisoformat(row["properties"]["lastmodifieddate"].replace("Z", "+00:00"))
    return int(moment.timestamp() * 1000)
