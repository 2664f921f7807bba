"""Calls to the shop. Source: WooCommerce's REST API reference, version 3."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

from higherself.core.http import Rejected
from higherself.integrations.client import Attempt, Hook, Once, Outcome, Page, ProviderClient, operation
from higherself.integrations.delivery import Delivery
from higherself.integrations.providers.woocommerce.calls import OrderChange, OrderMeta, OrderNote, Stock
from higherself.integrations.reading import time_of

API = "/wp-json/wc/v3"
TOPICS = (
    *("order.created", "order.updated", "order.deleted", "order.restored"),
    *("customer.created", "customer.updated", "customer.deleted"),
    *("product.created", "product.updated", "product.deleted"),
)
_PAGE = 100
_OVERLAP = timedelta(minutes=5)


def _order(item: Any) -> str:
    return f"order:{item.order_id}"


class WooCommerceClient(ProviderClient):
    needs = ("consumer_key", "consumer_secret")
    # WooCommerce sets no limit; its hosts do, around this.
    per_second = 5.0
    # It never sends a webhook twice, so this is what closes the gaps.
    backfill_minutes = 10
    _in_order = False

    def basic(self) -> tuple[str, str] | None:
        return self.options.get("consumer_key", ""), self.options.get("consumer_secret", "")

    def check(self) -> None:
        self.get(f"{API}/orders", params={"per_page": 1})

    # -- orders and products --------------------------------------------------------------------------------------
    @operation("order.note", OrderNote, once=Once.LOOK_UP, record=_order)
    def add_note(self, note: OrderNote, attempt: Attempt) -> Outcome:
        """A note cannot be put twice by mistake: it ends with the call's mark."""
        path = f"{API}/orders/{note.order_id}/notes"
        mark = f"[{attempt.ref}]"
        if attempt.again:
            for row in self.get(path).json:
                if mark in str(row.get("note") or ""):
                    return Outcome({"id": row["id"]})
        made = self.post(path, json={"note": f"{note.note} {mark}", "customer_note": note.for_customer})
        return Outcome({"id": made.object["id"]})

    @operation("order.status", OrderChange, once=Once.UPSERT, record=_order)
    def set_status(self, change: OrderChange, attempt: Attempt) -> Outcome:
        """The status that already stands is not written again: the shop would mail the buyer again."""
        path = f"{API}/orders/{change.order_id}"
        now = self.get(path).object.get("status")
        if now != change.status:
            now = self.put(path, json={"status": change.status}).object.get("status")
        return Outcome({"id": change.order_id, "status": now})

    @operation("order.meta", OrderMeta, once=Once.UPSERT, record=_order)
    def set_meta(self, meta: OrderMeta, attempt: Attempt) -> Outcome:
        """An entry of the same key is replaced where its id is given; without it there would be two."""
        path = f"{API}/orders/{meta.order_id}"
        ids = {row.get("key"): row.get("id") for row in self.get(path).object.get("meta_data") or []}
        entries = [
            {"key": key, "value": value} | ({"id": ids[key]} if key in ids else {})
            for key, value in sorted(meta.values.items())
        ]
        self.put(path, json={"meta_data": entries})
        return Outcome({"id": meta.order_id})

    @operation("stock.set", Stock, once=Once.UPSERT, record=lambda item: f"product:{item.product_id}")
    def set_stock(self, stock: Stock, attempt: Attempt) -> Outcome:
        path = f"{API}/products/{stock.product_id}"
        if stock.variation_id:
            path += f"/variations/{stock.variation_id}"
        body = {"manage_stock": True, "stock_quantity": stock.quantity}
        return Outcome({"stock": self.put(path, json=body).object.get("stock_quantity")})

    # -- webhooks -------------------------------------------------------------------------------------------------
    def register_webhooks(self, url: str, secret: str, known: Mapping[str, str]) -> Iterable[Hook]:
        """One for each topic. The shop shows no secret: one that it may have otherwise is put again each time."""
        there = {row["topic"]: row for row in self._webhooks() if row.get("delivery_url") == url}
        for topic in TOPICS:
            if self.only and topic not in self.only:
                continue
            row = there.get(topic)
            if row is None:
                body = {"name": f"HigherSelf {topic}", "topic": topic, "delivery_url": url, "secret": secret}
                made = self.post(f"{API}/webhooks", json=body).object
                yield Hook(topic, str(made["id"]), url, "created")
            else:
                # Some failures in a row switch a hook off; nothing but this switches it on again.
                self.put(f"{API}/webhooks/{row['id']}", json={"status": "active", "secret": secret})
                change = "unchanged" if row.get("status") == "active" else "updated"
                yield Hook(topic, str(row["id"]), url, change)

    def _webhooks(self) -> Iterator[dict[str, Any]]:
        page = 1
        while True:
            rows = self.get(f"{API}/webhooks", params={"page": page, "per_page": _PAGE}).json
            yield from rows
            if len(rows) < _PAGE:
                return
            page += 1

    # -- history --------------------------------------------------------------------------------------------------
    def backfill(self, since: datetime, cursor: dict[str, Any]) -> Iterator[Page]:
        """Orders and products by their last change. (Customers cannot be asked for so; they come with orders.)

        Where the shop sorts by that, the cursor moves with each page, else at the end.
        """
        times = dict(cursor)
        for thing in ("orders", "products"):
            start = (time_of(times.get(thing)) or since) - _OVERLAP
            newest = start + _OVERLAP
            for rows in self._changed(thing, start):
                newest = max([newest, *filter(None, (time_of(row.get("date_modified_gmt")) for row in rows))])
                if self._in_order:
                    times[thing] = newest.isoformat()
                yield Page([_delivery(thing[:-1], row) for row in rows], dict(times))
            times[thing] = newest.isoformat()
            yield Page([], dict(times))

    def _changed(self, thing: str, since: datetime) -> Iterator[list[dict[str, Any]]]:
        params: dict[str, Any] = {
            "modified_after": since.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S"),
            "dates_are_gmt": "true",
            "orderby": "modified",
            "order": "asc",
            "status": "any",
            "per_page": _PAGE,
            "page": 1,
        }
        while True:
            try:
                rows = self.get(f"{API}/{thing}", params=params).json
            except Rejected as error:
                # Older shops cannot sort by it (rest_invalid_param).
                if error.answer.status != 400 or params["orderby"] == "date":
                    raise
                params["orderby"] = "date"
                continue
            self._in_order = params["orderby"] == "modified"
            if rows:
                yield rows
            if len(rows) < _PAGE:
                return
            params["page"] += 1


def _delivery(resource: str, row: dict[str, Any]) -> Delivery:
    """As the webhook about the object's last change; what was never changed was created."""
    new = row.get("date_created_gmt") == row.get("date_modified_gmt")
    topic = f"{resource}.{'created' if new else 'updated'}"
    return Delivery(
        body=json.dumps(row).encode(), content_type="application/json", headers={"x-wc-webhook-topic": topic}
    )
