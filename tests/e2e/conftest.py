"""A browser, and a visitor who is logged in and notices every error on the way."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache

from agents_app.services import catalog
from tests.e2e import browser as browsers

PASSWORD = "a-long-password-for-tests"


@pytest.fixture(scope="package")
def browser() -> Iterator[Any]:
    """One browser for all tests of this folder, closed before any other test runs in this process.

    Playwright's synchronous interface keeps an event loop running in this thread: whoever comes after, and wants one
    of their own, would be refused.
    """
    program = browsers.find()
    if program is None:
        if os.environ.get("E2E_REQUIRED"):
            pytest.fail(browsers.ADVICE)
        pytest.skip(browsers.ADVICE)
    playwright = pytest.importorskip("playwright.sync_api")
    # Django refuses the database where an event loop runs.
    before = os.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with playwright.sync_playwright() as started:
        chromium = started.chromium.launch(executable_path=program, args=browsers.FLAGS)
        yield chromium
        chromium.close()
    if before is None:
        del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]
    else:
        os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = before


@dataclass
class Visitor:
    """A person at the console. ``errors`` collects what the browser's console complained about."""

    page: Any
    base: str
    errors: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("console", self._listen)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("dialog", lambda dialog: dialog.accept())

    def _listen(self, message: Any) -> None:
        if message.type in {"error", "warning"}:
            self.errors.append(f"{self.page.url}: {message.text}")

    def open(self, path: str) -> Any:
        answer = self.page.goto(self.base + path, wait_until="load")
        assert answer.status == 200, f"{path} answered {answer.status}"
        return self.page

    def log_in(self, name: str) -> None:
        page = self.open("/admin/login/")
        page.fill("#id_username", name)
        page.fill("#id_password", PASSWORD)
        page.click("#login-form button[type=submit]")
        page.wait_for_url(f"{self.base}/admin/")

    @property
    def overflow(self) -> int:
        """By how many pixels the page is wider than the window."""
        width: int = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        return width


@pytest.fixture
def visit(browser: Any, live_server: Any) -> Iterator[Callable[..., Visitor]]:
    """Makes a visitor who is logged in: ``visit(width=390, scheme="dark")``."""
    contexts = []
    cache.clear()
    catalog.forget()
    User.objects.create_superuser("owner", "owner@example.org", PASSWORD)

    def make(width: int = 1280, scheme: str = "light") -> Visitor:
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, locale="en-US", timezone_id="UTC"
        )
        contexts.append(context)
        visitor = Visitor(context.new_page(), live_server.url)
        visitor.log_in("owner")
        return visitor

    yield make
    for context in contexts:
        context.close()
