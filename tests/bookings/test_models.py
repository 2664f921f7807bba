"""Products and services."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from bookings.models import Product
from bookings.queries import product_from
from tests.factories import make_contact, make_product


@pytest.mark.parametrize(
    ("price", "tier"),
    [(None, ""), ("0", "Budget"), ("99.99", "Budget"), ("100", "Standard"), ("499.99", "Standard"), ("500", "Premium")],
)
def test_the_price_tier_follows_the_price(price: str | None, tier: str):
    assert Product(price=None if price is None else Decimal(price)).price_tier == tier


@pytest.mark.parametrize(
    ("kind", "physical"), [("Art Piece", True), ("Physical Product", True), ("Retreat", False), ("", False)]
)
def test_art_and_goods_are_physical(kind: str, physical: bool):
    assert Product(type=kind).is_physical is physical


@pytest.mark.django_db
def test_a_product_is_found_by_the_shop_s_id_in_that_shop_alone():
    product = make_product(integration_system="WooCommerce", external_id="42")
    make_product(integration_system="Amelia", external_id="43")
    assert product_from("WooCommerce", "42") == product
    assert product_from("Amelia", "42") is None
    assert product_from("WooCommerce", "") is None


@pytest.mark.django_db
def test_a_shop_s_id_stands_for_one_live_product():
    old = make_product(integration_system="WooCommerce", external_id="42")
    with pytest.raises(IntegrityError), transaction.atomic():
        make_product(integration_system="WooCommerce", external_id="42")
    old.archive()
    new = make_product(integration_system="WooCommerce", external_id="42")
    assert product_from("WooCommerce", "42") == new


@pytest.mark.django_db
def test_products_without_a_shop_s_id_can_be_many():
    assert make_product(external_id="").product_id != make_product(external_id="").product_id


@pytest.mark.django_db
def test_a_piece_outlives_its_artist_s_record():
    artist = make_contact()
    piece = make_product(type="Art Piece", artist=artist)
    artist.delete()
    piece.refresh_from_db()
    assert piece.artist is None
