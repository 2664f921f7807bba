"""A WooCommerce shop's REST API."""

from __future__ import annotations

from typing import Any

from tests.standins.server import Case, Reply, Request, Service, route

API = "/wp-json/wc/v3"


class WooCommerce(Service):
    slug = "woocommerce"
    options = {"consumer_key": "ck_standin_0123456789", "consumer_secret": "cs_standin_0123456789"}
    cases = (
        Case("order.note", {"order_id": 727, "note": "Shipped."}),
        Case("order.status", {"order_id": 727, "status": "completed"}),
        Case("order.meta", {"order_id": 727, "values": {"notion_page_id": "p1"}}),
        Case("stock.set", {"product_id": 93, "quantity": 4}),
        Case("stock.set", {"product_id": 22, "variation_id": 23, "quantity": 0}),
    )

    def __init__(self) -> None:
        super().__init__()
        self.orders: dict[int, dict[str, Any]] = {727: self.order(727, "2026-11-20T10:00:00")}
        self.notes: dict[int, list[dict[str, Any]]] = {727: []}
        self.products: dict[str, dict[str, Any]] = {
            "93": self.product(93),
            "22": self.product(22),
            "22/variations/23": self.product(23),
        }
        self.hooks: dict[int, dict[str, Any]] = {}
        self.sorts_by_change = True

    @staticmethod
    def order(number: int, modified: str, status: str = "processing") -> dict[str, Any]:
        return {
            "id": number,
            "number": str(number),
            "order_key": f"wc_order_{number}",
            "status": status,
            "currency": "USD",
            "total": "29.35",
            "date_created_gmt": "2026-11-20T10:00:00",
            "date_modified_gmt": modified,
            "billing": {"email": "john.doe@example.com", "first_name": "John", "last_name": "Doe"},
            "line_items": [],
            "meta_data": [{"id": 1, "key": "_other", "value": "x"}],
            "_links": {"self": [{"href": f"https://shop.example.com{API}/orders/{number}"}]},
        }

    @staticmethod
    def product(number: int) -> dict[str, Any]:
        stamps = {"date_created_gmt": "2026-11-01T10:00:00", "date_modified_gmt": "2026-11-01T10:00:00"}
        return {"id": number, "name": f"Piece {number}", "regular_price": "9.00", "stock_status": "instock", **stamps}

    def authorised(self, request: Request) -> bool:
        return request.basic == (self.options["consumer_key"], self.options["consumer_secret"])

    def unauthorised(self) -> Reply:
        words = "Sorry, you cannot list resources."
        return Reply(401, {"code": "woocommerce_rest_cannot_view", "message": words, "data": {"status": 401}})

    def error(self, status: int) -> Any:
        return {"code": "rest_no_route", "message": "No route was found.", "data": {"status": status}}

    def snapshot(self) -> Any:
        return {"orders": self.orders, "notes": self.notes, "products": self.products, "hooks": self.hooks}

    @route("GET", rf"{API}/orders/(\d+)/notes")
    def list_notes(self, request: Request, number: str) -> Reply:
        return Reply(200, self.notes[int(number)])

    @route("POST", rf"{API}/orders/(\d+)/notes")
    def add_note(self, request: Request, number: str) -> Reply:
        note = {"id": self.next_id(), "author": "WooCommerce", **request.json}
        self.notes[int(number)].append(note)
        return Reply(201, note)

    @route("GET", rf"{API}/orders/(\d+)")
    def read_order(self, request: Request, number: str) -> Reply:
        order = self.orders.get(int(number))
        return Reply(200, order) if order else Reply(404, self.error(404))

    @route("PUT", rf"{API}/orders/(\d+)")
    def change_order(self, request: Request, number: str) -> Reply:
        order = self.orders[int(number)]
        for entry in request.json.get("meta_data", []):
            same = next((row for row in order["meta_data"] if row["id"] == entry.get("id")), None)
            if same:
                same.update(entry)
            else:
                order["meta_data"].append({"id": self.next_id(), **entry})
        order.update({name: value for name, value in request.json.items() if name != "meta_data"})
        return Reply(200, order)

    @route("PUT", rf"{API}/products/(\d+(?:/variations/\d+)?)")
    def change_product(self, request: Request, name: str) -> Reply:
        self.products[name].update(request.json)
        return Reply(200, self.products[name])

    @route("GET", rf"{API}/(orders|products)")
    def changed(self, request: Request, thing: str) -> Reply:
        if request.query.get("orderby") == "modified" and not self.sorts_by_change:
            return Reply(400, {"code": "rest_invalid_param", "message": "Invalid parameter(s): orderby"})
        rows = list((self.orders if thing == "orders" else self.products).values())
        since = request.query.get("modified_after", "")
        rows = sorted((row for row in rows if row["date_modified_gmt"] > since), key=lambda row: row["id"])
        size, page = int(request.query.get("per_page", 10)), int(request.query.get("page", 1))
        return Reply(200, rows[(page - 1) * size : page * size])

    @route("GET", rf"{API}/webhooks")
    def list_hooks(self, request: Request) -> Reply:
        return Reply(200, [{k: v for k, v in hook.items() if k != "secret"} for hook in self.hooks.values()])

    @route("POST", rf"{API}/webhooks")
    def create_hook(self, request: Request) -> Reply:
        hook = {"id": self.next_id(), "status": "active", **request.json}
        self.hooks[hook["id"]] = hook
        return Reply(201, {k: v for k, v in hook.items() if k != "secret"})

    @route("PUT", rf"{API}/webhooks/(\d+)")
    def change_hook(self, request: Request, number: str) -> Reply:
        self.hooks[int(number)].update(request.json)
        return Reply(200, self.hooks[int(number)])
