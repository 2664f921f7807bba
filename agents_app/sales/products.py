"""The product behind a booking or an order line: found by the shop's own id, made when nobody has described it yet."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from agents_app.agents.base import Context
from agents_app.sales import chores
from agents_app.services import catalog
from agents_app.text import one_line, option_names
from bookings import stock
from bookings.choices import IntegrationSystem, ProductStatus, ProductType
from bookings.models import Product
from contacts.models import BusinessEntity
from higherself.integrations.material import BookingMaterial, OrderLine, PackageMaterial, ProductMaterial

# Which business a service works for, unless the product itself names another one.
ENTITIES = {IntegrationSystem.AMELIA: "the-connection-practice", IntegrationSystem.WOOCOMMERCE: "the-7-space"}
_ART = ("art", "painting", "sculpture", "drawing", "photograph", "canvas", "ceramic")
_WORDS = {
    ProductType.RETREAT: ("retreat",),
    ProductType.WORKSHOP: ("workshop",),
    ProductType.CONSULTATION: ("consultation", "consulting"),
    ProductType.COURSE: ("course",),
    ProductType.MEMBERSHIP: ("membership",),
}


def entity_of(product: Product | None, system: str) -> BusinessEntity | None:
    """The product's business, else the one that the service works for, else the only one there is."""
    known = catalog.current()
    own = known.entity_with_pk(product.business_entity_id) if product else None
    usual = own or known.entity(ENTITIES.get(IntegrationSystem(system), "")) if system in ENTITIES else own
    if usual is None and len(known.entities) == 1:
        return next(iter(known.entities.values()))
    return usual


def find(system: str, external_ids: Iterable[str]) -> dict[str, Product]:
    """The live products with these ids, by id."""
    rows = Product.objects.live().filter(integration_system=system, external_id__in=set(external_ids))
    return {row.external_id: row for row in rows.order_by()}


def of_booking(told: BookingMaterial, context: Context) -> tuple[Product | None, bool]:
    """The retreat, and whether it was unknown until now. An event and a service may have the same number."""
    if not told.service_id:
        return None, False
    external = f"event:{told.service_id}" if told.reservation_type == "event" else told.service_id
    found = find(context.source, [external]).get(external)
    if found is not None:
        return found, False
    kind = ProductType.RETREAT if told.reservation_type == "event" else _type(told.service_name, ProductType.SERVICE)
    dates = {"starts_at": told.starts_at, "ends_at": told.ends_at} if told.reservation_type == "event" else {}
    price = told.price / told.persons if told.price else None
    name = told.service_name or f"Service {told.service_id}"
    return _make(name, kind, ProductStatus.INACTIVE, context, external, price, **dates), True


def of_package(told: PackageMaterial, context: Context) -> tuple[Product, bool]:
    external = f"package:{told.package_id}"
    found = find(context.source, [external]).get(external)
    if found is not None:
        return found, False
    name = told.name or f"Package {told.package_id}"
    made = _make(name, ProductType.SERVICE, ProductStatus.INACTIVE, context, external, told.price)
    return made, True


def of_lines(lines: Iterable[OrderLine], context: Context) -> dict[str, Product]:
    """The products of an order's lines by their id in the shop. A variation is sold as its product."""
    wanted = {line.product_id: line for line in lines if line.product_id}
    found = find(context.source, wanted)
    for external, line in wanted.items():
        if external not in found:
            each = line.total / line.quantity if line.total and line.quantity else None
            kind = _type(line.name, ProductType.PHYSICAL_PRODUCT)
            made = _make(line.name or f"Product {external}", kind, ProductStatus.ACTIVE, context, external, each)
            found[external] = made
    return found


def of_shop(told: ProductMaterial, context: Context) -> tuple[Product, bool]:
    """The product as the shop describes it now; an older description than the one that is known changes nothing.

    What people describe in Notion (type, status, description, tags) is left alone once it is there.
    """
    at = told.modified_at or context.occurred_at
    product = find(context.source, [told.product_id]).get(told.product_id)
    new = product is None
    if product is None:
        kind = _type(" ".join([told.name, *told.categories]), ProductType.PHYSICAL_PRODUCT)
        status = ProductStatus.ACTIVE if told.status in ("publish", "") else ProductStatus.INACTIVE
        name = told.name or f"Product {told.product_id}"
        product = _make(name, kind, status, context, told.product_id, told.price)
    product = stock.locked([product.pk])[product.pk]
    if product.told_at is not None and at <= product.told_at:
        return product, False
    changed = {"told_at", *_described(product, told), *_state(product, told)}
    product.told_at = at
    if told.stock is not None or product.stock_at is not None:
        changed |= set(stock.report(product, told.stock, at))
    product.save(update_fields=changed)
    return product, new


def _described(product: Product, told: ProductMaterial) -> set[str]:
    wanted = {
        "name": one_line(told.name, 500),
        "sku": one_line(told.sku, 200),
        "price": told.price if told.price is not None else told.regular_price,
        "booking_link": told.url[:2000],
    }
    for name, value in wanted.items():
        if value not in ("", None):
            setattr(product, name, value)
    product.tags = product.tags or option_names(told.categories)
    return {*wanted, "tags"}


def _state(product: Product, told: ProductMaterial) -> set[str]:
    """A product that was discontinued because the shop had deleted it comes back when the shop shows it again."""
    if told.status == "publish" and product.status in (ProductStatus.DISCONTINUED, ProductStatus.INACTIVE):
        product.status = ProductStatus.ACTIVE
    elif told.status in ("draft", "pending", "private") and product.status == ProductStatus.ACTIVE:
        product.status = ProductStatus.INACTIVE
    return {"status"}


def gone(system: str, external_id: str, at: datetime) -> Product | None:
    """The shop has deleted it: nobody can buy it any more; what was sold keeps pointing to it."""
    product = find(system, [external_id]).get(external_id)
    if product is not None and product.status != ProductStatus.DISCONTINUED:
        product.status, product.told_at = ProductStatus.DISCONTINUED, max(at, product.told_at or at)
        product.save(update_fields=["status", "told_at"])
    return product


def ask_to_describe(product: Product, entity: BusinessEntity | None) -> None:
    """Nobody has described this product yet: a task, and the product stays Inactive until somebody does."""
    chores.once(
        f"{product.product_id}:describe:1",
        f"Describe the new product: {product.name}",
        f"{product.integration_system} knows it as {product.external_id}. Fill in type, description and business "
        "entity in Products & Services, then set it to Active.",
        role="bookings",
        entity=entity,
    )


def _make(
    name: str, kind: str, status: str, context: Context, external: str, price: Decimal | None, **more: datetime | None
) -> Product:
    usual = entity_of(None, context.source)
    return Product.objects.create(
        name=one_line(name, 500),
        type=kind,
        status=status,
        price=None if price is None else round(price, 2),
        integration_system=context.source,
        external_id=external,
        business_entity=usual,
        **more,
    )


def _type(words: str, otherwise: str) -> str:
    lower = words.casefold()
    for kind, signs in _WORDS.items():
        if any(sign in lower for sign in signs):
            return kind
    if otherwise == ProductType.PHYSICAL_PRODUCT and any(sign in lower.split() for sign in _art_words()):
        return ProductType.ART_PIECE
    return otherwise


def _art_words() -> set[str]:
    return {form for word in _ART for form in (word, f"{word}s")}
