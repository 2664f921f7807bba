"""What browsers are told about the server's answers."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from tests import factories

pytestmark = pytest.mark.django_db


def _rules(answer: object) -> dict[str, str]:
    header = answer["Content-Security-Policy"]  # type: ignore[index]
    return {rule.split(" ", 1)[0]: rule.split(" ", 1)[1] for rule in header.split("; ")}


def test_data_may_load_nothing(client: Client):
    assert _rules(client.get("/health")) == {
        "default-src": "'none'",
        "form-action": "'none'",
        "object-src": "'none'",
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
    }


def test_only_the_console_may_run_scripts(client: Client):
    client.force_login(User.objects.create_superuser("owner", password="a-long-password"))

    assert _rules(client.get(reverse("admin:index")))["script-src"] == "'self' 'unsafe-eval'"
    assert "script-src" not in _rules(client.get(reverse("api-docs")))


def test_no_page_of_the_console_needs_an_inline_script_or_a_file_from_elsewhere(client: Client):
    client.force_login(User.objects.create_superuser("owner", password="a-long-password"))
    contact = factories.make_contact()
    pages = [
        reverse("admin:index"),
        reverse("admin:contacts_contact_changelist"),
        reverse("admin:contacts_contact_add"),
        reverse("admin:contacts_contact_change", args=[contact.pk]),
        reverse("admin:contacts_contact_history", args=[contact.pk]),
    ]

    found = []
    for page in pages:
        text = client.get(page).content.decode()
        found += re.findall(r"<script(?![^>]*\bsrc=)[^>]*>", text)
        found += re.findall(r"\son[a-z]+=[\"']", text)
        found += re.findall(r"<(?:script|link|img)[^>]+(?:src|href)=\"(?:https?:)?//[^\"]+", text)
    assert found == []
