"""Snov.io: prospects are added and looked up; what recipients did is read campaign by campaign.

Source of all rules here: Snov.io's API pages. 60 requests a minute for the account; two shapes of errors; no
idempotency keys, so prospects are added with ``updateContact``, which makes a repeat an update.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta, timezone
from typing import Any
from urllib.parse import urlencode

from higherself.core.errors import Permanent, Retryable
from higherself.core.http import Answer, Rejected, Unauthorised, segment
from higherself.integrations import gate
from higherself.integrations.client import Attempt, Hook, Once, Outcome, Page, ProviderClient, operation
from higherself.integrations.providers.snovio import token
from higherself.integrations.providers.snovio.calls import Enrichment, Prospect
from higherself.integrations.providers.snovio.pulled import activity, profile, replies
from higherself.integrations.reading import text, time_of, whole

# What we want to hear of; an address for each, because deliveries are not documented to name their event.
EVENTS = (
    ("campaign_reply", "received"),
    ("campaign_reply", "autoreply_received"),
    ("campaign_li_reply", "received"),
    ("campaign_li", "connection_request_accepted"),
    ("campaign_email", "bounced"),
    ("campaign_email", "opened"),
    ("campaign_email", "clicked"),
    ("prospect", "campaign_finished"),
    ("prospect", "unsubscribed"),
)
ROWS = 1000
# recipients-activity spans 31 days at most.
SPAN = timedelta(days=30)
MOST_PAGES = 100
# Their times have no zone; they are taken for UTC.
OVERLAP = timedelta(days=1)


class SnovioClient(ProviderClient):
    needs = ("client_id", "client_secret")
    per_second = 50 / 60
    backfill_minutes = 60
    keeps_webhooks = True

    # -- proving who we are ---------------------------------------------------------------------------------------
    def credentials(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {token.kept(self.options) or self._new_token()}"}

    def _new_token(self) -> str:
        form = {
            "grant_type": "client_credentials",
            "client_id": self.options["client_id"],
            "client_secret": self.options["client_secret"],
        }
        answer = self.request("POST", "/v1/oauth/access_token", form=form, signed=False, accept=(400, 401, 403))
        found = text(answer.peek.get("access_token"))
        if not found:
            raise self._no_token(answer)
        token.keep(self.options, found, float(whole(answer.peek.get("expires_in")) or 3600))
        return found

    def _no_token(self, answer: Answer) -> Exception:
        """Which status Snov.io gives to wrong credentials is not documented; OAuth 2 has 400 with a word, and 401."""
        said = self.explain(answer) or "without a reason"
        words = f"Snov.io gave no access token ({answer.status}, {said})."
        if answer.status < 300:
            return Retryable(words)
        if answer.status == 400 and "client" not in said.lower():
            return Rejected(words, answer)
        words += " SNOVIO_CLIENT_ID or SNOVIO_CLIENT_SECRET is wrong or has expired: renew them."
        gate.refused(self.slug, self.fingerprint(self.options), words)
        return Unauthorised(words, answer)

    def request(self, method: str, path: str, *, signed: bool = True, **options: Any) -> Answer:
        """A token may end before its time: then a new one is asked for, once."""
        if not signed:
            return super().request(method, path, signed=False, **options)
        used = token.kept(self.options)
        accept = options.pop("accept", ())
        if used:
            answer = super().request(method, path, accept=(*accept, 401), **options)
            if answer.status != 401 or 401 in accept:
                return answer
            token.forget(self.options, used)
        return super().request(method, path, accept=accept, **options)

    def explain(self, answer: Answer) -> str:
        """``{"errors": {"code", "title"}}`` or ``{"success": false, "errors": […]}``."""
        return _said(answer.peek.get("errors")) or super().explain(answer)

    def check(self) -> None:
        self.get("/v1/get-balance")

    # -- prospects ------------------------------------------------------------------------------------------------
    @operation("prospect.add", Prospect, once=Once.UPSERT, record=lambda wanted: f"prospect:{wanted.who}")
    def add(self, wanted: Prospect, attempt: Attempt) -> Outcome:
        """Added, or updated where they are known."""
        answer = self.post("/v1/add-prospect-to-list", json=_prospect(wanted)).object
        if answer.get("success") is not True:
            raise Permanent(
                f"Snov.io did not take the prospect: {_said(answer.get('errors')) or 'it gives no reason'}."
            )
        return Outcome({"id": text(answer.get("id")), "added": bool(answer.get("added"))})

    @operation("prospect.enrich", Enrichment, once=Once.READ, record=lambda wanted: f"prospect:{wanted.email.lower()}")
    def enrich(self, wanted: Enrichment, attempt: Attempt) -> Outcome:
        """What is known of an address, through the inbox; nothing known is "not found", which is no error."""
        answer = self.post("/v1/get-prospects-by-email", json={"email": wanted.email}, accept=(404,))
        data = answer.peek.get("data")
        found = next((item for item in data if isinstance(item, dict)), None) if isinstance(data, list) else data
        if not isinstance(found, dict) or not found:
            return Outcome({"found": False})
        status = self._status(wanted) if wanted.campaign_id else ""
        told = profile(found, wanted.email, {wanted.campaign_id: status} if status else {})
        return Outcome({"found": True, "id": text(found.get("id")), "status": status}, (told,))

    def _status(self, wanted: Enrichment) -> str:
        path = f"/v2/campaigns/{segment(wanted.campaign_id)}/recipient"
        answer = self.get(path, params=[("emails[]", wanted.email)], accept=(404,))
        rows = answer.peek.get("data") or []
        return next((text(row.get("status")) for row in rows if isinstance(row, dict) and row.get("exist")), "")

    # -- history --------------------------------------------------------------------------------------------------
    def backfill(self, since: datetime, cursor: dict[str, Any]) -> Iterator[Page]:
        """For each campaign what its recipients did, and what they answered, from a day before the last end."""
        now = datetime.now(timezone.utc)
        last = time_of(cursor.get("until"))
        since = max(since, last - OVERLAP) if last else since
        for campaign in self._campaigns():
            yield from (Page(activity(rows, campaign), cursor) for rows in self._activity(campaign["id"], since, now))
            yield from (Page(replies(rows), cursor) for rows in self._replies(campaign["id"], since))
        yield Page([], {**cursor, "until": now.isoformat()})

    def _campaigns(self) -> list[dict[str, str]]:
        found = self.get("/v1/get-user-campaigns").json
        rows = found if isinstance(found, list) else found.get("data") if isinstance(found, dict) else []
        named = [item for item in rows or [] if isinstance(item, dict) and item.get("id")]
        return [{"id": text(item["id"]), "name": text(item.get("campaign") or item.get("name"))} for item in named]

    def _activity(self, campaign: str, since: datetime, now: datetime) -> Iterator[list[dict[str, Any]]]:
        start = since
        while start <= now:
            end = min(start + SPAN, now)
            offset = 0
            for _ in range(MOST_PAGES):
                days = {"dateFrom": f"{start:%Y-%m-%d}", "dateTo": f"{end:%Y-%m-%d}"}
                path = f"/v2/campaigns/{segment(campaign)}/recipients-activity"
                answer = self.get(path, params={**days, "offset": offset, "limit": ROWS}).object
                rows = [row for row in answer.get("data") or [] if isinstance(row, dict)]
                # Days are all that can be asked for.
                yield [row for row in rows if (time_of(row.get("event_time")) or now) >= since]
                offset += len(rows)
                if not rows or not (answer.get("pagination") or {}).get("has_more"):
                    break
            start = end + timedelta(days=1)

    def _replies(self, campaign: str, since: datetime) -> Iterator[list[dict[str, Any]]]:
        """The size of a page is not documented: read until one is empty."""
        offset = 0
        for _ in range(MOST_PAGES):
            answer = self.get(f"/v2/campaigns/{segment(campaign)}/all-replies", params={"offset": offset}).object
            rows = [row for row in answer.get("data") or [] if isinstance(row, dict)]
            if not rows:
                return
            yield [row for row in rows if (moment := time_of(row.get("receivedAt"))) is None or moment >= since]
            offset += len(rows)

    # -- webhooks -------------------------------------------------------------------------------------------------
    def register_webhooks(self, url: str, secret: str, known: Mapping[str, str]) -> Iterable[Hook]:
        """One for each event, at an address that names it; the secret is in it already, for Snov.io sends no header.

        After 38 hours of failures Snov.io switches a webhook off; it is switched on again.
        """
        found = [item.get("data", item) for item in self.get("/v2/webhooks").object.get("data") or []]
        there = {
            (text(item.get("event_object")), text(item.get("event_action")), text(item.get("end_point"))): item
            for item in found
            if isinstance(item, dict)
        }
        for thing, action in EVENTS:
            name = f"{thing}.{action}"
            if self.only and name not in self.only:
                continue
            address = f"{url}?{urlencode({'event': name})}"
            hook = there.get((thing, action, address))
            if hook is None:
                body = {"event_object": thing, "event_action": action, "endpoint_url": address}
                made = self.post("/v2/webhooks", json=body).object.get("data") or {}
                yield Hook(name, text(made.get("id")), url, "created")
                continue
            change = "unchanged"
            if text(hook.get("status")) != "active":
                self.put(f"/v2/webhooks/{segment(text(hook.get('id')))}", json={"status": "active"})
                change = "updated"
            yield Hook(name, text(hook.get("id")), url, change)


def _prospect(wanted: Prospect) -> dict[str, Any]:
    body = {
        "listId": wanted.list_id,
        "email": wanted.email,
        "fullName": wanted.full_name or f"{wanted.first_name} {wanted.last_name}".strip(),
        "firstName": wanted.first_name,
        "lastName": wanted.last_name,
        "position": wanted.position,
        "companyName": wanted.company,
        "companySite": wanted.company_site,
        "country": wanted.country,
        "locality": wanted.locality,
        "phones": wanted.phones,
        "customFields": wanted.custom_fields,
        "socialLinks": {"linkedIn": wanted.linkedin} if wanted.linkedin else {},
    }
    # Only one of the two may be true.
    return {**{name: value for name, value in body.items() if value}, "updateContact": True, "createDuplicates": False}


def _said(errors: Any) -> str:
    """The words of whatever stands under ``errors``."""
    if isinstance(errors, dict):
        return text(errors.get("title")) or text(errors.get("message")) or "; ".join(map(_said, errors.values()))
    if isinstance(errors, list):
        return "; ".join(part for part in map(_said, errors[:5]) if part)
    return text(errors)
