"""Calls to Beehiiv. Source: Beehiiv's API reference and its official SDK."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from higherself.core.http import segment
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
from higherself.integrations.delivery import Delivery
from higherself.integrations.providers.beehiiv.calls import PostStats, Segments, Subscriber
from higherself.integrations.reading import time_of

EVENTS = (
    *("post.sent", "post.updated", "subscription.created", "subscription.confirmed", "subscription.deleted"),
    *("subscription.upgraded", "subscription.downgraded", "subscription.paused", "subscription.resumed"),
    *("subscription.tier.created", "subscription.tier.deleted", "survey.response_submitted"),
)
_PAGE = 100
# Deprecated paging by numbers, still used for posts, segments and custom fields, ends here.
_LAST_PAGE = 100
# Who has left is found by asking for all who have: an unsubscribing changes no date by which it could be sorted.
_LEFT_EVERY = timedelta(days=1)
# What a status means in the words of the webhooks.
_TYPES = {"active": "subscription.confirmed", "inactive": "subscription.deleted"}


class BeehiivClient(ProviderClient):
    needs = ("api_key", "publication_id")
    # 180 requests a minute for the organisation.
    per_second = 3.0
    backfill_minutes = 60
    # The cursor of the page behind the one that was read last.
    _behind = ""

    def credentials(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.options['api_key']}"}

    @property
    def home(self) -> str:
        return f"/v2/publications/{segment(self.options['publication_id'])}"

    def check(self) -> None:
        self.get(self.home)

    # -- readers --------------------------------------------------------------------------------------------------
    @operation(
        "subscription.upsert", Subscriber, once=Once.UPSERT, record=lambda item: f"subscriber:{item.email.lower()}"
    )
    def upsert(self, reader: Subscriber, attempt: Attempt) -> Outcome:
        """Looked up by address first: what posting a known address does is not documented."""
        found = self.get(f"{self.home}/subscriptions/by_email/{segment(reader.email)}", accept=(404,))
        fields = [{"name": name, "value": value} for name, value in reader.fields().items()]
        if fields:
            self._make_fields([item["name"] for item in fields])
        if found.status == 404 and reader.unsubscribe:
            return Outcome({"id": "", "status": "unknown"})
        if found.status == 404 or (reader.reactivate and found.object["data"].get("status") == "inactive"):
            row = self._create(reader, fields)
        else:
            row = self._update(found.object["data"], reader, fields)
        if reader.tags:
            self.post(f"{self.home}/subscriptions/{segment(row['id'])}/tags", json={"tags": reader.tags})
        return Outcome({"id": str(row["id"]), "status": str(row.get("status") or "")})

    def _create(self, reader: Subscriber, fields: list[dict[str, str]]) -> dict[str, Any]:
        names = ("utm_source", "utm_medium", "utm_campaign", "referring_site")
        body: dict[str, Any] = {name: getattr(reader, name) for name in names if getattr(reader, name)}
        body |= {
            "email": reader.email,
            "reactivate_existing": reader.reactivate,
            "send_welcome_email": reader.welcome_email,
            "custom_fields": fields,
        }
        return self.post(f"{self.home}/subscriptions", json=body).object["data"]

    def _update(self, row: dict[str, Any], reader: Subscriber, fields: list[dict[str, str]]) -> dict[str, Any]:
        body: dict[str, Any] = {"custom_fields": fields} if fields else {}
        if reader.unsubscribe:
            body["unsubscribe"] = True
        if not body:
            return row
        return self.put(f"{self.home}/subscriptions/{segment(row['id'])}", json=body).object.get("data") or row

    def _make_fields(self, names: list[str]) -> None:
        """A value for a custom field that does not exist is dropped in silence, so the field is made first."""
        there = {str(row.get("display")) for row in self._numbered("custom_fields")}
        for name in names:
            if name not in there:
                self.post(f"{self.home}/custom_fields", json={"display": name, "kind": "string"})

    @erasure(prefix="subscriber:")
    def erase(self, wanted: Traces, attempt: Attempt) -> Outcome:
        """The subscription is deleted, not ended: an ended one keeps the address (Beehiiv: delete subscription)."""
        rows = [
            self.get(f"{self.home}/subscriptions/by_email/{segment(mail)}", accept=(404,)) for mail in wanted.emails
        ]
        found = [str(row.object["data"]["id"]) for row in rows if row.status != 404]
        paths = [f"{self.home}/subscriptions/{segment(name)}" for name in dict.fromkeys([*found, *wanted.ids])]
        gone = [self.delete(path, accept=(404,)) for path in paths]
        return Outcome({"erased": sum(answer.status != 404 for answer in gone)})

    # -- figures --------------------------------------------------------------------------------------------------
    @operation("segments.read", Segments, once=Once.READ)
    def read_segments(self, wanted: Segments, attempt: Attempt) -> Outcome:
        found = []
        for row in self._numbered("segments"):
            item = {name: row.get(name) for name in ("id", "name", "type", "status", "total_results")}
            if row.get("id") in wanted.members_of:
                item["members"] = list(self._numbered(f"segments/{segment(row['id'])}/members"))
            found.append(item)
        return Outcome({"segments": found})

    @operation("post.stats", PostStats, once=Once.READ, record=lambda item: f"post:{item.post_id}")
    def read_stats(self, wanted: PostStats, attempt: Attempt) -> Outcome:
        """The post with its figures, which comes back as an event of ours, ``post.measured``."""
        answer = self.get(f"{self.home}/posts/{segment(wanted.post_id)}", params={"expand[]": "stats"})
        post = answer.object["data"]
        kept = {name: value for name, value in post.items() if name != "content"}
        delivery = _delivery("post.measured", kept, f"{attempt.dedupe_key}")
        return Outcome({"id": str(post.get("id")), "stats": post.get("stats") or {}}, (delivery,))

    # -- webhooks -------------------------------------------------------------------------------------------------
    def register_webhooks(self, url: str, secret: str, known: Mapping[str, str]) -> Iterable[Hook]:
        """One for all events. The answer holds no secret: a Svix key, if there is one, is shown in the dashboard."""
        events = [name for name in EVENTS if not self.only or name in self.only]
        body = {"url": url, "event_types": events, "description": "HigherSelf Network Server"}
        row = next((item for item in self._numbered("webhooks") if _same_place(item.get("url"), url)), None)
        if row is None:
            made = self.post(f"{self.home}/webhooks", json=body).object["data"]
            yield Hook("all events", str(made["id"]), url, "created")
        elif row.get("url") == url and set(row.get("event_types") or []) >= set(events):
            yield Hook("all events", str(row["id"]), url, "unchanged")
        else:
            self.put(f"{self.home}/webhooks/{segment(row['id'])}", json=body)
            yield Hook("all events", str(row["id"]), url, "updated")

    # -- history --------------------------------------------------------------------------------------------------
    def backfill(self, since: datetime, cursor: dict[str, Any]) -> Iterator[Page]:
        """Readers and posts, newest first: there is no list of what has changed. The cursor moves at the end."""
        began = datetime.now(since.tzinfo)
        start = time_of(cursor.get("created")) or since
        for rows in self._newest("subscriptions", "created", "created", start):
            yield Page([_reader(row) for row in rows], cursor)
        for rows in self._newest("posts", "publish_date", "publish_date", start):
            sent = [row for row in rows if row.get("status") == "confirmed"]
            yield Page([_post(row) for row in sent], cursor)
        done = {**cursor, "created": began.isoformat()}
        left = time_of(cursor.get("left"))
        if left is None or began - left >= _LEFT_EVERY:
            finished = {"created": began.isoformat(), "left": began.isoformat()}
            yield from self._left(done, finished)
            done = finished
        yield Page([], done)

    def _left(self, cursor: dict[str, Any], finished: dict[str, Any]) -> Iterator[Page]:
        """All who have left: perhaps a thousand pages, so an ended run goes on with the page behind its last one."""
        params: dict[str, Any] = {"limit": _PAGE, "status": "inactive"}
        if cursor.get("left_page"):
            params["cursor"] = cursor["left_page"]
        for rows in self._pages("subscriptions", params):
            behind = {**cursor, "left_page": self._behind} if self._behind else finished
            yield Page([_reader(row) for row in rows], behind)

    def _newest(self, thing: str, order: str, name: str, since: datetime) -> Iterator[list[dict[str, Any]]]:
        """Pages until the rows are older than that; an overlap of a page keeps none from falling between two runs."""
        params: dict[str, Any] = {"limit": _PAGE, "order_by": order, "direction": "desc"}
        for rows in self._pages(thing, params):
            yield rows
            oldest = time_of(rows[-1].get(name))
            if oldest is not None and oldest < since:
                return

    def _numbered(self, thing: str) -> Iterator[dict[str, Any]]:
        for rows in self._pages(thing, {"limit": _PAGE}):
            yield from rows

    def _pages(self, thing: str, params: dict[str, Any]) -> Iterator[list[dict[str, Any]]]:
        """By cursor where one is given, else by number. The guide shows it within ``pagination``, the SDK beside."""
        page = 1
        while True:
            answer = self.get(f"{self.home}/{thing}", params=params).object
            paging = {**answer, **(answer.get("pagination") or {})}
            self._behind = str(paging.get("next_cursor") or "")
            if answer.get("data"):
                yield answer["data"]
            page += 1
            if paging.get("next_cursor") and paging.get("has_more"):
                params = {**params, "cursor": paging["next_cursor"]}
            elif page <= min(int(paging.get("total_pages") or 1), _LAST_PAGE):
                params = {**params, "page": page}
            else:
                return


def _same_place(one: Any, other: str) -> bool:
    """Whether two addresses differ in the secret at their end at most."""
    first, second = urlsplit(str(one or "")), urlsplit(other)
    return first[:2] == second[:2] and first.path.rpartition("/")[0] == second.path.rpartition("/")[0]


def _reader(row: dict[str, Any]) -> Delivery:
    status = str(row.get("status") or "")
    return _delivery(_TYPES.get(status, "subscription.created"), row, f"{row.get('id')}:{status}")


def _post(row: dict[str, Any]) -> Delivery:
    kept = {name: value for name, value in row.items() if name not in ("content", "stats")}
    return _delivery("post.sent", kept, f"{row.get('id')}:sent")


def _delivery(name: str, data: dict[str, Any], uid: str) -> Delivery:
    moment = data.get("publish_date") if name.startswith("post.") else data.get("created")
    body = {"data": data, "event_timestamp": moment, "event_type": name, "uid": f"fetched:{uid}"}
    return Delivery(body=json.dumps(body, sort_keys=True).encode(), content_type="application/json")
