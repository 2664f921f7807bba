"""Searching for words over several columns as if they were one."""

from __future__ import annotations

import pytest
from django.db import connection

from agents_app.models import Task, WorkflowInstance
from contacts.admin import ContactAdmin
from contacts.models import Contact
from higherself.core.wordsearch import by_words
from tests import factories

pytestmark = pytest.mark.django_db
COLUMNS = ContactAdmin.word_search


def _found(term: str) -> list[str]:
    return [row.full_name for row in by_words(Contact.objects.order_by("full_name"), COLUMNS, term)]


def test_every_word_has_to_stand_somewhere_whatever_its_case_and_order():
    factories.make_contact(full_name="Maya Okafor", email="maya@example.org", company="Harbour Clinic")
    factories.make_contact(full_name="Maya Lind", email="lind@example.org")

    assert _found("maya") == ["Maya Lind", "Maya Okafor"]
    assert _found("OKAF may") == ["Maya Okafor"]
    assert _found("clinic maya@") == ["Maya Okafor"]
    assert _found("maya nobody") == []


def test_signs_that_mean_something_in_sql_mean_themselves():
    factories.make_contact(full_name="100% cotton!", email="a@example.org")
    factories.make_contact(full_name="100 cotton_", email="b@example.org")

    assert _found("100%") == ["100% cotton!"]
    assert _found("cotton_") == ["100 cotton_"]
    assert _found("cotton!") == ["100% cotton!"]
    assert _found("o'neil \" \\") == []


@pytest.mark.parametrize("model", [Contact, Task, WorkflowInstance])
def test_postgresql_answers_from_an_index(model: type):
    if connection.vendor != "postgresql":
        pytest.skip("only PostgreSQL has it")
    from django.contrib import admin

    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    rows = by_words(model._base_manager.all(), admin.site._registry[model].word_search, "nobody").order_by()

    assert "_words" in rows.explain()
