"""Airtable: records are written; what its bell rings for is fetched by cursor; its webhooks are kept alive.

Source of all rules here: Airtable's Web API (webhooks overview, list webhook payloads, update multiple records).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

from higherself.core.errors import Permanent
from higherself.core.http import Answer, NotFound, Rejected, segment
from higherself.integrations.client import (
    Attempt,
    Hook,
    Once,
    Outcome,
    Page,
    ProviderClient,
    Traces,
    erasure,
    operation,
)
from higherself.integrations.providers.airtable.calls import Records, Ring
from higherself.integrations.providers.airtable.pulled import again, changes, row
from higherself.integrations.reading import text, time_of, whole

MOST_AT_ONCE = 10
PAYLOADS_A_PAGE = 50
# Airtable deletes payloads after a week, whether they were seen or not.
PAYLOADS_KEPT = timedelta(days=6, hours=12)
BUSY_SECONDS = 30.0
OVERLAP = timedelta(minutes=30)
# So many pages in one call; then the bell is rung once more, so that no call takes too long.
PAGES_A_CALL = 20
WEBHOOK_NAME = "records"


class AirtableClient(ProviderClient):
    needs = ("api_token", "base_id")
    # Five a second for each base; webhooks' calls count too.
    per_second = 4.5
    backfill_minutes = 60
    keeps_webhooks = True
    makes_secrets = True

    def credentials(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.options['api_token']}"}

    def explain(self, answer: Answer) -> str:
        """``{"error": {"type", "message"}}``; some answers hold the type alone."""
        error = answer.peek.get("error")
        if isinstance(error, dict):
            return ": ".join(part for part in (text(error.get("type")), text(error.get("message"))) if part)
        return text(error)

    def pause_of(self, answer: Answer) -> float | None:
        """Whoever is told 429 has to wait for half a minute (Airtable: managing API call limits)."""
        if answer.retry_after is not None or answer.status != 429:
            return answer.retry_after
        return BUSY_SECONDS

    def check(self) -> None:
        self.get("/v0/meta/whoami")

    # -- records --------------------------------------------------------------------------------------------------
    @operation("records.upsert", Records, once=Once.UPSERT, record=lambda wanted: f"table:{wanted.table}")
    def upsert(self, wanted: Records, attempt: Attempt) -> Outcome:
        """In batches of ten. Airtable matches by the fields to merge on: sent twice, the same rows have the same
        values. Two calls at once could both create: calls about one table are sent one after the other."""
        path = f"/v0/{segment(wanted.base_id or self.options['base_id'])}/{segment(wanted.table)}"
        result: dict[str, list[str]] = {"created": [], "updated": [], "ids": []}
        for start in range(0, len(wanted.records), MOST_AT_ONCE):
            self._write(path, wanted, wanted.records[start : start + MOST_AT_ONCE], result)
        return Outcome(dict(result))

    def _write(
        self, path: str, wanted: Records, records: Sequence[dict[str, Any]], result: dict[str, list[str]]
    ) -> None:
        """A row that Airtable refuses fails its whole request: then each is tried alone, and the refused are named."""
        try:
            self._batch(path, wanted, records, result)
        except Rejected as refusal:
            if len(records) == 1 or refusal.answer.status != 422:
                raise
            refused = []
            for fields in records:
                try:
                    self._batch(path, wanted, [fields], result)
                except Rejected as error:
                    who = ", ".join(text(fields.get(name)) for name in wanted.merge_on)
                    refused.append(f"{who}: {self.explain(error.answer)}")
            if refused:
                raise Permanent(f"Airtable refused rows of {wanted.table!r}: {'; '.join(refused)}.") from refusal

    def _batch(
        self, path: str, wanted: Records, records: Sequence[dict[str, Any]], result: dict[str, list[str]]
    ) -> None:
        body = {
            "performUpsert": {"fieldsToMergeOn": wanted.merge_on},
            "typecast": wanted.typecast,
            "records": [{"fields": fields} for fields in records],
        }
        answer = self.patch(path, json=body).object
        result["created"] += _ids(answer.get("createdRecords"))
        result["updated"] += _ids(answer.get("updatedRecords"))
        # In the order in which they were sent.
        result["ids"] += _ids([row.get("id") for row in answer.get("records") or [] if isinstance(row, dict)])

    @erasure()
    def erase(self, wanted: Traces, attempt: Attempt) -> Outcome:
        """The rows of the base, of any table, that are known by their id, or whose e-mail field is an address of the
        person. (Airtable: list records, delete multiple records.)"""
        base, erased = self.options["base_id"], 0
        for table in self.get(f"/v0/meta/bases/{segment(base)}/tables").object.get("tables") or []:
            path = f"/v0/{segment(base)}/{segment(table['id'])}"
            rows = self._rows_of(path, _formula(wanted, table.get("fields") or []))
            for start in range(0, len(rows), MOST_AT_ONCE):
                batch = [("records[]", name) for name in rows[start : start + MOST_AT_ONCE]]
                self.delete(path, params=batch)
            erased += len(rows)
        return Outcome({"erased": erased})

    def _rows_of(self, path: str, formula: str) -> list[str]:
        found: list[str] = []
        offset = ""
        while formula:
            params = {"pageSize": 100, "filterByFormula": formula, **({"offset": offset} if offset else {})}
            answer = self.get(path, params=params).object
            found += [text(row.get("id")) for row in answer.get("records") or [] if isinstance(row, dict)]
            offset = text(answer.get("offset"))
            if not offset:
                break
        return found

    # -- what the bell rang for -----------------------------------------------------------------------------------
    @operation("payloads.read", Ring, once=Once.READ, record=lambda wanted: f"webhook:{wanted.webhook_id}")
    def fetch(self, wanted: Ring, attempt: Attempt) -> Outcome:
        """From where the last call about this webhook stopped: its result holds the cursor, and is kept in the
        transaction that stores what was fetched."""
        cursor = whole(attempt.known.get("cursor")) or 1
        found = []
        for _ in range(PAGES_A_CALL):
            payloads, next_cursor, more = self._payloads(wanted.base_id, wanted.webhook_id, cursor)
            found += changes(wanted.base_id, wanted.webhook_id, payloads, cursor, "payloads.read")
            cursor = max(next_cursor, cursor)
            if not more:
                return Outcome({"cursor": cursor, "payloads": len(found)}, tuple(found))
        rest = again(wanted.base_id, wanted.webhook_id, cursor)
        return Outcome({"cursor": cursor, "payloads": len(found)}, (*found, rest))

    def _payloads(self, base: str, webhook: str, cursor: int) -> tuple[list[dict[str, Any]], int, bool]:
        """A page, the cursor after it, and whether there is more. (An empty page ends it, whatever it promises.)"""
        path = f"/v0/bases/{segment(base)}/webhooks/{segment(webhook)}/payloads"
        answer = self.get(path, params={"cursor": cursor, "limit": PAYLOADS_A_PAGE}).object
        payloads = [item for item in answer.get("payloads") or [] if isinstance(item, dict)]
        return payloads, whole(answer.get("cursor")) or cursor, bool(answer.get("mightHaveMore")) and bool(payloads)

    # -- history --------------------------------------------------------------------------------------------------
    def backfill(self, since: datetime, cursor: dict[str, Any]) -> Iterator[Page]:
        """Airtable keeps a week of changes for each webhook; for what is older, the records changed since are listed.

        A webhook's payloads are read to their end each time: those that came by its bell are recognised.
        """
        base, cursors = self.options["base_id"], dict(cursor.get("webhooks") or {})
        now, last = datetime.now(timezone.utc), time_of(cursor.get("until"))
        hooks = [hook for hook in self._hooks(base) if hook.get("id")]
        for hook in hooks:
            webhook = text(hook["id"])
            position = whole(cursors.get(webhook)) or 1
            more = True
            while more:
                payloads, after, more = self._payloads(base, webhook, position)
                deliveries = changes(base, webhook, payloads, position, "backfill")
                position = max(after, position)
                cursors[webhook] = position
                yield Page(deliveries, {**cursor, "webhooks": cursors})
        since = max(since, last - OVERLAP) if last else since
        if not hooks or since < now - PAYLOADS_KEPT:
            yield from self._changed_records(base, since, {**cursor, "webhooks": cursors})
        yield Page([], {"webhooks": cursors, "until": now.isoformat()})

    def _changed_records(self, base: str, since: datetime, cursor: dict[str, Any]) -> Iterator[Page]:
        moment = since.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        for table in self.get(f"/v0/meta/bases/{segment(base)}/tables").object.get("tables") or []:
            params = {
                "pageSize": 100,
                "returnFieldsByFieldId": "true",
                "filterByFormula": f"IS_AFTER(LAST_MODIFIED_TIME(), '{moment}')",
            }
            offset = ""
            while True:
                found = self.get(
                    f"/v0/{segment(base)}/{segment(table['id'])}",
                    params={**params, **({"offset": offset} if offset else {})},
                ).object
                rows = [item for item in found.get("records") or [] if isinstance(item, dict)]
                yield Page([row(base, text(table["id"]), item) for item in rows], cursor)
                offset = text(found.get("offset"))
                if not offset:
                    break

    # -- webhooks -------------------------------------------------------------------------------------------------
    def register_webhooks(self, url: str, secret: str, known: Mapping[str, str]) -> Iterable[Hook]:
        """One webhook for the records of the base. It is renewed when it is there; its secret is shown by Airtable
        only when it is made, so one that is there and not known to us is made anew."""
        base = self.options["base_id"]
        there = [hook for hook in self._hooks(base) if hook.get("id")]
        ours = [hook for hook in there if text(hook.get("notificationUrl")) == url]
        kept = next((hook for hook in ours if text(hook["id"]) == known.get(WEBHOOK_NAME)), None)
        expires = time_of(kept.get("expirationTime")) if kept else None
        if kept and (expires is None or expires > datetime.now(timezone.utc)):
            yield self._renewed(base, kept, url)
            return
        made = self.post(f"/v0/bases/{segment(base)}/webhooks", json=_specification(url)).object
        if not text(made.get("macSecretBase64")):
            raise Permanent("Airtable made a webhook without telling its secret: delete it there, and register again.")
        # A base takes ten webhooks: the one that this replaces goes, and so does one of ours at an older address.
        former = {text(hook["id"]) for hook in ours} | {known.get(WEBHOOK_NAME, "")}
        for name in former & {text(hook["id"]) for hook in there}:
            self._drop(base, name)
        yield Hook(
            name=WEBHOOK_NAME,
            remote_id=text(made["id"]),
            url=url,
            change="created",
            secret=text(made["macSecretBase64"]),
            expires_at=time_of(made.get("expirationTime")),
        )

    def _renewed(self, base: str, hook: Mapping[str, Any], url: str) -> Hook:
        path = f"/v0/bases/{segment(base)}/webhooks/{segment(hook['id'])}"
        expires = time_of(self.post(f"{path}/refresh").peek.get("expirationTime"))
        change = "unchanged"
        if hook.get("areNotificationsEnabled") is False:
            # After thirteen failures in a row Airtable goes on collecting, but no longer rings.
            self.post(f"{path}/enableNotifications", json={"enable": True})
            change = "updated"
        return Hook(WEBHOOK_NAME, text(hook["id"]), url, change, expires_at=expires)

    def _hooks(self, base: str) -> list[dict[str, Any]]:
        found = self.get(f"/v0/bases/{segment(base)}/webhooks").object.get("webhooks") or []
        return [item for item in found if isinstance(item, dict)]

    def _drop(self, base: str, webhook: str) -> None:
        try:
            self.delete(f"/v0/bases/{segment(base)}/webhooks/{segment(webhook)}")
        except NotFound:
            return


def _specification(url: str) -> dict[str, Any]:
    """Records of all tables, with the values that changed. What we write ourselves is left out."""
    sources = ["client", "formSubmission", "formPageSubmission", "automation", "sync", "system", "anonymousUser"]
    return {
        "notificationUrl": url,
        "specification": {
            "options": {
                "filters": {"dataTypes": ["tableData"], "fromSources": sources},
                "includes": {"includeCellValuesInFieldIds": "all", "includePreviousCellValues": True},
            }
        },
    }


def _formula(wanted: Traces, fields: list[Any]) -> str:
    """Which rows are the person's; empty where no row of the table can be found by what is known."""
    names = [text(item.get("name")) for item in fields if isinstance(item, dict) and item.get("type") == "email"]
    found = [f"RECORD_ID()={_quoted(name)}" for name in wanted.ids]
    found += [f"LOWER(TRIM({_column(name)}))={_quoted(mail)}" for name in names if name for mail in wanted.emails]
    return f"OR({','.join(found)})" if found else ""


def _quoted(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _column(name: str) -> str:
    return "{" + name.replace("\\", "\\\\").replace("}", "\\}") + "}"


def _ids(value: Any) -> list[str]:
    return [text(item) for item in value if text(item)] if isinstance(value, list) else []
