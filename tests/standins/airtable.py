"""Airtable's Web API, as far as it is called: records, webhooks and their payloads."""

from __future__ import annotations

import re
from typing import Any

from tests.standins.server import Case, Reply, Request, Service, route

BASE = "appStandIn0000001"
ROWS = [{"Name": f"Person {number}", "Score": number} for number in range(12)]
SECRET = "c2VjcmV0LWtleQ=="


def _known(service: Airtable) -> None:
    service.add("Leads", {"Name": "Person 3", "Score": 99, "Notes": "kept"})


def _rung(service: Airtable) -> None:
    service.hook("https://hub.example.com/webhooks/airtable", "ach1")
    for number in range(3):
        service.payload("ach1", f"rec{number}", {"fldName": f"Person {number}"})


def _people(service: Airtable) -> None:
    """One row is known by its id, one by an address in another case, one is somebody else's."""
    service.add("Leads", {"Name": "Ada"})
    service.add("Guests", {"Name": "A. L.", "E-mail": " Ada@Example.org"})
    service.add("Guests", {"Name": "Grace", "E-mail": "grace@example.org"})


class Airtable(Service):
    slug = "airtable"
    options = {"api_token": "pat-standin-airtable-0123456789", "base_id": BASE}
    cases = (
        Case("records.upsert", {"table": "Leads", "merge_on": ["Name"], "records": ROWS}, _known),
        Case("person.erase", {"emails": ["ada@example.org"], "ids": ["rec1"]}, _people),
        Case("payloads.read", {"base_id": BASE, "webhook_id": "ach1"}, _rung),
    )

    def __init__(self) -> None:
        super().__init__()
        self.tables: dict[str, dict[str, dict[str, Any]]] = {}
        self.hooks: dict[str, dict[str, Any]] = {}
        self.payloads: dict[str, list[dict[str, Any]]] = {}
        self.batches: list[int] = []

    def authorised(self, request: Request) -> bool:
        return request.bearer == self.options["api_token"]

    def unauthorised(self) -> Reply:
        return Reply(401, {"error": {"type": "AUTHENTICATION_REQUIRED", "message": "Authentication required"}})

    def error(self, status: int) -> Any:
        if status == 404:
            return {"error": "NOT_FOUND"}
        return {"error": {"type": f"ERROR_{status}", "message": f"error {status}"}}

    def snapshot(self) -> Any:
        return {"tables": self.tables, "hooks": sorted(self.hooks)}

    def add(self, table: str, fields: dict[str, Any]) -> str:
        record = f"rec{self.next_id()}"
        self.tables.setdefault(table, {})[record] = dict(fields)
        return record

    def hook(self, url: str, name: str = "") -> str:
        name = name or f"ach{self.next_id()}"
        self.hooks[name] = {
            "id": name,
            "notificationUrl": url,
            "areNotificationsEnabled": True,
            "isHookEnabled": True,
            "cursorForNextPayload": 1,
            "expirationTime": "2099-01-01T00:00:00.000Z",
        }
        self.payloads.setdefault(name, [])
        return name

    def payload(self, hook: str, record: str, cells: dict[str, Any]) -> None:
        rows = self.payloads[hook]
        rows.append(
            {
                "timestamp": f"2026-11-23T10:{len(rows) % 60:02}:00.000Z",
                "baseTransactionNumber": len(rows) + 5,
                "payloadFormat": "v0",
                "actionMetadata": {"source": "client", "sourceMetadata": {"user": {"email": "staff@example.org"}}},
                "changedTablesById": {"tblLeads": {"changedRecordsById": {record: {"current": _cells(cells)}}}},
            }
        )

    @route("GET", "/v0/meta/whoami")
    def whoami(self, request: Request) -> Reply:
        return Reply(200, {"id": "usrStandIn"})

    @route("GET", rf"/v0/meta/bases/{BASE}/tables")
    def list_tables(self, request: Request) -> Reply:
        kinds = {"E-mail": "email"}
        fields = {table: {name for row in rows.values() for name in row} for table, rows in self.tables.items()}
        tables = [
            {
                "id": table,
                "name": table,
                "fields": [{"name": name, "type": kinds.get(name, "singleLineText")} for name in names],
            }
            for table, names in fields.items()
        ]
        return Reply(200, {"tables": tables})

    @route("GET", rf"/v0/{BASE}/([^/]+)")
    def list_records(self, request: Request, table: str) -> Reply:
        formula = request.query["filterByFormula"]
        found = self.tables.get(table, {}).items()
        if not formula.startswith("IS_AFTER(LAST_MODIFIED_TIME()"):
            found = [(key, fields) for key, fields in found if _fits(formula, key, fields)]
        rows = [{"id": key, "fields": fields} for key, fields in found]
        start = int(request.query.get("offset") or 0)
        more = {"offset": str(start + 100)} if start + 100 < len(rows) else {}
        return Reply(200, {"records": rows[start : start + 100], **more})

    @route("DELETE", rf"/v0/{BASE}/([^/]+)")
    def delete_records(self, request: Request, table: str) -> Reply:
        """``records[]`` may be repeated; `Request.query` keeps the last one, which is all that a case needs."""
        key = request.query["records[]"]
        if self.tables.get(table, {}).pop(key, None) is None:
            return Reply(404, self.error(404))
        return Reply(200, {"records": [{"id": key, "deleted": True}]})

    @route("PATCH", rf"/v0/{BASE}/([^/]+)")
    def upsert(self, request: Request, table: str) -> Reply:
        body = request.json
        if len(body["records"]) > 10:
            return Reply(422, {"error": {"type": "INVALID_RECORDS", "message": "at most 10"}})
        self.batches.append(len(body["records"]))
        rows = self.tables.setdefault(table, {})
        names = body["performUpsert"]["fieldsToMergeOn"]
        same = [
            [key for key, row in rows.items() if all(row.get(name) == item["fields"].get(name) for name in names)]
            for item in body["records"]
        ]
        if any(len(found) > 1 for found in same):
            return Reply(422, {"error": {"type": "INVALID_VALUE_FOR_COLUMN", "message": "several records match"}})
        ids = [found[0] if found else self.add(table, {}) for found in same]
        for key, item in zip(ids, body["records"], strict=True):
            rows[key].update(item["fields"])
        answer = {
            "records": [{"id": key, "fields": rows[key]} for key in ids],
            "createdRecords": [key for key, found in zip(ids, same, strict=True) if not found],
            "updatedRecords": [key for key, found in zip(ids, same, strict=True) if found],
        }
        return Reply(200, answer)

    @route("GET", rf"/v0/bases/{BASE}/webhooks")
    def list_hooks(self, request: Request) -> Reply:
        return Reply(200, {"webhooks": list(self.hooks.values())})

    @route("POST", rf"/v0/bases/{BASE}/webhooks")
    def create_hook(self, request: Request) -> Reply:
        name = self.hook(request.json["notificationUrl"])
        self.hooks[name]["expirationTime"] = "2026-11-30T00:00:00.000Z"
        answer = {"id": name, "macSecretBase64": SECRET, "expirationTime": self.hooks[name]["expirationTime"]}
        return Reply(200, answer)

    @route("POST", rf"/v0/bases/{BASE}/webhooks/([^/]+)/refresh")
    def refresh(self, request: Request, name: str) -> Reply:
        if name not in self.hooks:
            return Reply(404, self.error(404))
        self.hooks[name]["expirationTime"] = "2099-12-31T00:00:00.000Z"
        return Reply(200, {"expirationTime": self.hooks[name]["expirationTime"]})

    @route("POST", rf"/v0/bases/{BASE}/webhooks/([^/]+)/enableNotifications")
    def enable(self, request: Request, name: str) -> Reply:
        self.hooks[name]["areNotificationsEnabled"] = request.json["enable"]
        return Reply(200, {})

    @route("DELETE", rf"/v0/bases/{BASE}/webhooks/([^/]+)")
    def drop(self, request: Request, name: str) -> Reply:
        return Reply(200 if self.hooks.pop(name, None) else 404, {})

    @route("GET", rf"/v0/bases/{BASE}/webhooks/([^/]+)/payloads")
    def list_payloads(self, request: Request, name: str) -> Reply:
        if name not in self.hooks:
            return Reply(404, self.error(404))
        start, size = int(request.query.get("cursor", 1)), min(int(request.query.get("limit", 50)), 50)
        rows = self.payloads[name][start - 1 : start - 1 + size]
        end = start + len(rows)
        return Reply(200, {"cursor": end, "mightHaveMore": end <= len(self.payloads[name]), "payloads": rows})


def _fits(formula: str, key: str, fields: dict[str, Any]) -> bool:
    """The two comparisons that are asked for, joined by OR."""
    if key in re.findall(r'RECORD_ID\(\)="([^"]*)"', formula):
        return True
    wanted = re.findall(r'LOWER\(TRIM\({([^}]*)}\)\)="([^"]*)"', formula)
    return any(str(fields.get(name, "")).strip().lower() == value for name, value in wanted)


def _cells(values: dict[str, Any]) -> dict[str, Any]:
    return {"cellValuesByFieldId": values}
