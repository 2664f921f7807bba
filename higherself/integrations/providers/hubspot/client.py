"""Calls to HubSpot's CRM. Sources: HubSpot's contacts, deals, search and error-handling guides (dated API)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

from higherself.core.errors import Retryable
from higherself.core.http import AlreadyThere, Answer, segment
from higherself.integrations.client import Attempt, Once, Outcome, Page, ProviderClient, Traces, erasure, operation
from higherself.integrations.delivery import Delivery
from higherself.integrations.providers.hubspot.calls import Contact, Deal, Note
from higherself.integrations.reading import time_of

# Date-versioned since 2026; versions 1 to 3 end in September 2027 (HubSpot: changelog).
API = "/crm/objects/2026-03"
_EXISTING = re.compile(r"Existing ID: (\d+)")
_CONTACT_TO_DEAL, _CONTACT_TO_NOTE = 3, 202
_READ = ["email", "firstname", "lastname", "phone", "company", "lifecyclestage", "createdate", "lastmodifieddate"]
_PAGE = 100
# A query shows 10,000 results and refuses to go on (HubSpot: search guide); a new query begins before that.
_QUERY_PAGES = 90
# New and changed records show up in searches "a few moments" late.
_OVERLAP = timedelta(minutes=5)


class HubSpotClient(ProviderClient):
    needs = ("access_token",)
    # The smallest allowance is 100 requests in 10 seconds.
    per_second = 9.0
    # 477: the account is being moved to another data centre, with a Retry-After.
    passing = ProviderClient.passing | {477}
    backfill_minutes = 15

    def credentials(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.options['access_token']}"}

    def explain(self, answer: Answer) -> str:
        """The message, and which property it is about: most refusals are about one."""
        errors = answer.peek.get("errors")
        said = [str(item.get("message") or "") for item in errors or [] if isinstance(item, dict)]
        return " ".join([super().explain(answer), *said[:3]])

    def pause_of(self, answer: Answer) -> float | None:
        """A plain 429 names its policy; ``Retry-After`` is not documented for it (HubSpot: usage details)."""
        if answer.retry_after is not None or answer.status != 429:
            return answer.retry_after
        return {"SECONDLY": 1.0, "TEN_SECONDLY_ROLLING": 10.0, "DAILY": 3600.0}.get(str(answer.peek.get("policyName")))

    def check(self) -> None:
        self.get(f"{API}/contacts", params={"limit": 1})

    # -- contacts -------------------------------------------------------------------------------------------------
    @operation("contact.upsert", Contact, once=Once.UPSERT, record=lambda item: f"contact:{item.email.lower()}")
    def upsert_contact(self, contact: Contact, attempt: Attempt) -> Outcome:
        """By address. The batch upsert does not support partial updates by e-mail (HubSpot: contacts guide)."""
        found = self._patch_contact(contact.email, contact, params={"idProperty": "email"})
        if found.status == 404:
            found = self._create_contact(contact)
        return Outcome({"id": str(found.object["id"])})

    def _patch_contact(self, name: str, contact: Contact, **options: Any) -> Answer:
        body = {"properties": contact.properties()}
        return self.patch(f"{API}/contacts/{segment(name)}", json=body, accept=(404,), **options)

    def _create_contact(self, contact: Contact) -> Answer:
        try:
            return self.post(f"{API}/contacts", json={"properties": contact.first_properties()})
        except AlreadyThere as error:
            # It came meanwhile, or has the address as a second one. The id stands in the message only.
            existing = _EXISTING.search(self.explain(error.answer))
            if not existing:
                raise
            return self.patch(f"{API}/contacts/{existing[1]}", json={"properties": contact.properties()})

    @erasure(prefix="contact:")
    def erase_contact(self, wanted: Traces, attempt: Attempt) -> Outcome:
        """For good, with what is associated (HubSpot: GDPR delete). By ids that were looked up first: an address that
        HubSpot does not know would be put on its blocklist, and could not come back by a new consent either."""
        erased = 0
        for name in (*wanted.ids, *wanted.emails):
            params = {"idProperty": "email"} if "@" in name else {}
            found = self.get(f"{API}/contacts/{segment(name)}", params=params, accept=(404,))
            if found.status != 404:
                self.post(f"{API}/contacts/gdpr-delete", json={"objectId": str(found.object["id"])})
                erased += 1
        return Outcome({"erased": erased})

    # -- deals and notes ------------------------------------------------------------------------------------------
    @operation("deal.upsert", Deal, once=Once.LOOK_UP, record=lambda item: f"deal:{item.ref}")
    def upsert_deal(self, deal: Deal, attempt: Attempt) -> Outcome:
        """The deal of our reference: known from an earlier call, else among the contact's, else new."""
        person = self._contact_with(deal.contact_email, "deals")
        deal_id = str(attempt.known.get("id") or "") or self._find(person, "deals", "dealname", f"({deal.ref})")
        body: dict[str, Any] = {"properties": deal.properties()}
        if deal_id:
            answer = self.patch(f"{API}/deals/{segment(deal_id)}", json=body, accept=(404,))
            if answer.status != 404:
                return Outcome({"id": str(answer.object["id"])})
        body["associations"] = [_association(person["id"], _CONTACT_TO_DEAL)]
        return Outcome({"id": str(self.post(f"{API}/deals", json=body).object["id"])})

    @operation("note.add", Note, once=Once.LOOK_UP, record=lambda item: f"contact:{item.contact_email.lower()}")
    def add_note(self, note: Note, attempt: Attempt) -> Outcome:
        """A note at the contact. It carries the call's mark, by which a repeat finds it."""
        mark = f"Ref. {attempt.ref}"
        person = self._contact_with(note.contact_email, "notes")
        found = self._find(person, "notes", "hs_note_body", mark) if attempt.again else ""
        if found:
            return Outcome({"id": found})
        body = {
            "properties": note.properties(mark),
            "associations": [_association(person["id"], _CONTACT_TO_NOTE)],
        }
        return Outcome({"id": str(self.post(f"{API}/notes", json=body).object["id"])})

    def _contact_with(self, email: str, relation: str) -> dict[str, Any]:
        params = {"idProperty": "email", "associations": relation}
        answer = self.get(f"{API}/contacts/{segment(email)}", params=params, accept=(404,))
        if answer.status == 404:
            raise Retryable("HubSpot does not know the contact yet: its contact.upsert has to be done first.")
        return answer.object

    def _find(self, person: dict[str, Any], relation: str, name: str, part: str) -> str:
        """The id of the contact's deal or note whose property holds the text; empty where there is none."""
        related = (person.get("associations") or {}).get(relation) or {}
        ids = list(dict.fromkeys(str(item["id"]) for item in related.get("results") or []))
        for start in range(0, len(ids), _PAGE):
            body = {"properties": [name], "inputs": [{"id": item} for item in ids[start : start + _PAGE]]}
            for item in self.post(f"{API}/{relation}/batch/read", json=body).object.get("results", []):
                if part in str(item.get("properties", {}).get(name) or ""):
                    return str(item["id"])
        return ""

    # -- history --------------------------------------------------------------------------------------------------
    def backfill(self, since: datetime, cursor: dict[str, Any]) -> Iterator[Page]:
        """Contacts by the time of their last change. (What was deleted cannot be found by searching.)"""
        # Searches have a pace of their own: five a second for the account.
        self.interval = max(self.interval, 0.25)
        start = (time_of(cursor.get("modified")) or since) - _OVERLAP
        after, pages = "", 0
        while True:
            answer = self.post(f"{API}/contacts/search", json=_search(start, after)).object
            rows = answer.get("results", [])
            last = max((_modified(row) for row in rows), default=start)
            yield Page([_delivery(row) for row in rows], {"modified": max(last, start + _OVERLAP).isoformat()})
            after, pages = str(answer.get("paging", {}).get("next", {}).get("after") or ""), pages + 1
            if not after:
                return
            if pages % _QUERY_PAGES == 0 and last > start:
                start, after = last, ""


def _association(record_id: Any, kind: int) -> dict[str, Any]:
    types = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": kind}]
    return {"to": {"id": str(record_id)}, "types": types}


def _search(start: datetime, after: str) -> dict[str, Any]:
    since = {"propertyName": "lastmodifieddate", "operator": "GTE", "value": _milliseconds(start)}
    body: dict[str, Any] = {
        "filterGroups": [{"filters": [since]}],
        "sorts": [{"propertyName": "lastmodifieddate", "direction": "ASCENDING"}],
        "properties": _READ,
        "limit": _PAGE,
    }
    return body | ({"after": after} if after else {})


def _modified(row: dict[str, Any]) -> datetime:
    found = time_of(row.get("properties", {}).get("lastmodifieddate")) or time_of(row.get("updatedAt"))
    return found or datetime.fromtimestamp(0, timezone.utc)


def _milliseconds(moment: datetime) -> str:
    return str(int(moment.timestamp() * 1000))


def _delivery(row: dict[str, Any]) -> Delivery:
    """As the webhook about the record's last change, with the properties that were read."""
    created = time_of(row.get("properties", {}).get("createdate"))
    change = {
        "objectId": row["id"],
        "subscriptionType": "contact.creation" if created == _modified(row) else "contact.propertyChange",
        "occurredAt": _milliseconds(_modified(row)),
        "changeSource": "BACKFILL",
        "properties": row.get("properties", {}),
    }
    return Delivery(body=json.dumps([change], sort_keys=True).encode(), content_type="application/json")
