"""What a purchase opens elsewhere: the community at Circle.so, the course at Tutor LMS. Rows of the outbox, written in
the transaction in which the money was seen; when the purchase ends, a person decides what becomes of them.

An invitation and an enrolment are part of what was bought, so they need no consent to marketing. Somebody who is not to
be contacted is invited by nobody but a person.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db import models

from agents_app.outgoing import rules
from agents_app.sales import chores
from agents_app.services import catalog
from bookings.choices import IntegrationSystem, ProductStatus, ProductType
from bookings.models import Product
from contacts.choices import ContactStatus
from contacts.models import BusinessEntity, Contact
from higherself.integrations import outbox
from higherself.integrations.models import OutboundCall
from higherself.integrations.registry import PROVIDERS

CIRCLE, INVITE, TAG = "circle", "member.invite", "member.tag"
TUTORLM, ENROL = "tutorlm", "enrolment.create"
# The product's tag that invites its buyers; after a colon, the member tag that they get.
COMMUNITY = "circle"
STUDENT, CUSTOMER = "tutorlm", IntegrationSystem.WOOCOMMERCE.value


@dataclass(frozen=True)
class Purchase:
    """What somebody has paid for. ``key`` names it for ever; ``about`` is the record of ours that stands for it."""

    key: str
    contact: Contact | None
    products: Sequence[Product]
    about: models.Model
    entity: BusinessEntity | None = None


def give(purchase: Purchase) -> None:
    """Wants the invitation and the enrolments that the purchase pays for, each once however often it is told."""
    tags, courses = _member_tags(purchase.products), _courses(purchase.products)
    if tags is None and not courses:
        return
    contact = purchase.contact
    if contact is None or not contact.email or contact.status == ContactStatus.DO_NOT_CONTACT:
        _by_hand(purchase, community=tags is not None, courses=courses)
        return
    if tags is not None:
        _invite(purchase, contact, tags)
    for course in courses:
        _enrol(purchase, contact, course)


def take_back(purchase: Purchase) -> None:
    """The purchase was cancelled or refunded: what was not sent yet is not sent; about the rest a person decides."""
    keys = [_key(purchase, CIRCLE, INVITE), *(_key(purchase, TUTORLM, ENROL, name) for name in _all_courses(purchase))]
    calls = OutboundCall.objects.filter(dedupe_key__in=keys)
    tags = OutboundCall.objects.filter(
        provider=CIRCLE, operation=TAG, dedupe_key__startswith=f"{_key(purchase, CIRCLE, TAG)}:"
    )
    outbox.cancel(calls.filter(attempts=0) | tags.filter(attempts=0), "the purchase was cancelled")
    given = [row for row in calls.order_by("pk") if row.status != OutboundCall.Status.CANCELLED]
    if not given:
        return
    listed = "\n".join(f"- {_said(row)}" for row in given)
    chores.once(
        f"{purchase.key}:take_back_access:1"[:300],
        f"Cancelled or refunded: decide about the access of {purchase.contact or 'the buyer'}",
        f"With {purchase.about} these were given:\n{listed}\nTake them away there, or leave them.",
        role="community",
        entity=purchase.entity,
        contact=purchase.contact,
    )


def _said(call: OutboundCall) -> str:
    if call.provider == CIRCLE:
        return "Circle.so: membership of the community"
    return f"Tutor LMS: course {call.payload.get('course_id')}"


# -- the community --------------------------------------------------------------------------------------------------
def _member_tags(products: Iterable[Product]) -> list[str] | None:
    """The member tags of those who buy this; None where it is no matter of the community."""
    rule: rules.Memberships | None = catalog.current().rule(rules.CIRCLE)
    if rule is None:
        return None
    found: list[str] = []
    invited = False
    for product in products:
        named = [tag.partition(":") for tag in product.tags]
        own = [rest.strip() for word, _colon, rest in named if word.strip().casefold() == COMMUNITY]
        if own or product.type in rule.types:
            invited = True
            found += [*rule.member_tags, *filter(None, own)]
    return list(dict.fromkeys(found)) if invited else None


def _invite(purchase: Purchase, contact: Contact, tags: Sequence[str]) -> None:
    """The tags are calls of their own, for somebody who is a member already is not invited. They are sent after it."""
    rule: rules.Memberships = catalog.current().rule(rules.CIRCLE)
    payload = {"email": contact.email, "name": contact.full_name, "space_ids": list(rule.space_ids)}
    outbox.enqueue(CIRCLE, INVITE, payload, dedupe_key=_key(purchase, CIRCLE, INVITE), about=purchase.about)
    for tag in tags:
        wanted = {"email": contact.email, "tag": tag}
        outbox.enqueue(CIRCLE, TAG, wanted, dedupe_key=_key(purchase, CIRCLE, TAG, tag), about=purchase.about)


# -- courses --------------------------------------------------------------------------------------------------------
def _courses(products: Iterable[Product]) -> list[str]:
    """The numbers of the courses that these products sell."""
    rule: rules.Enrolments | None = catalog.current().rule(rules.TUTORLM)
    if rule is None:
        return []
    sold = list(products)
    skus = {product.sku for product in sold if product.sku}
    found = [product.external_id for product in sold if product.integration_system == IntegrationSystem.TUTORLM]
    found += [rule.courses[sku] for sku in sorted(skus & set(rule.courses))]
    if skus:
        rows = Product.objects.live().filter(
            integration_system=IntegrationSystem.TUTORLM, type=ProductType.COURSE, sku__in=skus
        )
        rows = rows.exclude(status__in=[ProductStatus.INACTIVE, ProductStatus.DISCONTINUED])
        found += rows.order_by("pk").values_list("external_id", flat=True)
    return list(dict.fromkeys(number for number in found if number.isdecimal()))


def _all_courses(purchase: Purchase) -> list[str]:
    """Those of the enrolments that were wanted for this purchase, whatever its products sell by now."""
    start = f"{_key(purchase, TUTORLM, ENROL)}:"
    rows = OutboundCall.objects.filter(provider=TUTORLM, operation=ENROL, dedupe_key__startswith=start)
    return [str(payload.get("course_id")) for payload in rows.values_list("payload", flat=True)]


def _enrol(purchase: Purchase, contact: Contact, course: str) -> None:
    """A course that is for sale would leave its student waiting for a payment, which has been made here."""
    payload = {"course_id": course, "email": contact.email, "status": "completed"}
    student = _student(contact)
    if student:
        payload["user_id"] = student
    key = _key(purchase, TUTORLM, ENROL, course)
    outbox.enqueue(TUTORLM, ENROL, payload, dedupe_key=key, about=purchase.about)


def _student(contact: Contact) -> str:
    """Their number on the courses' site: from what they did there, or from the shop, where it is the same site."""
    known = contact.external_ids if isinstance(contact.external_ids, dict) else {}
    found = str(known.get(STUDENT) or "")
    if not found and _same_site():
        found = str(known.get(CUSTOMER) or "")
    return found if found.isdecimal() and found != "0" else ""


def _same_site() -> bool:
    """Customers of WooCommerce and students of Tutor LMS are users of one WordPress."""
    shop, courses = (PROVIDERS[slug].options.get("base_url", "").rstrip("/") for slug in ("woocommerce", TUTORLM))
    return bool(shop) and shop == courses


# -- pieces ---------------------------------------------------------------------------------------------------------
def _key(purchase: Purchase, provider: str, operation: str, thing: str = "") -> str:
    return ":".join(part for part in (provider, operation, purchase.key, thing) if part)


def _by_hand(purchase: Purchase, *, community: bool, courses: Sequence[str]) -> None:
    what = ["- Circle.so: membership of the community"] if community else []
    what += [f"- Tutor LMS: course {course}" for course in courses]
    why = "is not to be contacted" if purchase.contact and purchase.contact.email else "has no address that is known"
    chores.once(
        f"{purchase.key}:give_access:1"[:300],
        f"Give access by hand: {purchase.contact or purchase.about}",
        f"{purchase.about} pays for what follows, but the buyer {why}, so nothing was sent.\n" + "\n".join(what),
        role="community",
        entity=purchase.entity,
        contact=purchase.contact,
    )
