"""``make screenshots``: pictures of the console for README and docs, small enough to be kept in the repository.

They are taken of a server of this process with a made-up day in it. With OUT and SIZES in the environment the same
pages are taken anywhere, in any width and colour, to be looked at.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.utils import timezone
from PIL import Image

from notion_sync import budget
from notion_sync.models import RequestBudget
from tests.e2e import demo
from tests.e2e.conftest import Visitor

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]
OUT = Path(os.environ.get("OUT", Path(__file__).parents[2] / "docs" / "images"))
# width:scheme, as in SIZES="390:dark 1280:light"
SIZES = [item.partition(":")[::2] for item in os.environ.get("SIZES", "1280:light").split()]
WANTED = os.environ.get("PAGES", "").split()
COLOURS = 64


def test_pictures(visit: Callable[..., Visitor]) -> None:
    rows = demo.fill()
    cache.clear()
    pages = {
        "home": "/admin/",
        "contact": f"/admin/contacts/contact/{rows['contact'].pk}/change/",
        "instance": f"/admin/agents_app/workflowinstance/{rows['instance'].pk}/change/",
        "board": "/admin/boards/workflows/",
        "task-board": "/admin/boards/tasks/",
        "inbox": "/admin/integrations/inboundevent/",
        "sync": "/admin/sync/",
        "integrations": "/admin/integrations/providers/",
        "conflict": f"/admin/notion_sync/syncconflict/{rows['conflict'].pk}/change/",
    }
    OUT.mkdir(parents=True, exist_ok=True)
    for width, scheme in SIZES:
        visitor = visit(int(width), scheme or "light")
        for name, address in pages.items():
            if not WANTED or name in WANTED:
                _take(visitor, name, address, width, scheme)
        if not WANTED or "emergency" in WANTED:
            _notion_goes_away()
            _take(visitor, "emergency", "/admin/contacts/contact/", width, scheme)
            RequestBudget.objects.all().delete()
            cache.clear()
        assert visitor.errors == []


def _notion_goes_away() -> None:
    since = timezone.now() - timedelta(minutes=38)
    RequestBudget.objects.create(key=budget.key_of(budget.token()), unreachable_since=since, last_error="refused")
    cache.clear()


def _take(visitor: Visitor, name: str, address: str, width: str, scheme: str) -> None:
    page = visitor.open(address)
    page.wait_for_timeout(250)  # the font of the signs
    whole = bool(os.environ.get("WHOLE"))
    file = OUT / (f"{name}.png" if len(SIZES) == 1 else f"{name}-{width}-{scheme}.png")
    small(page.screenshot(full_page=whole), file)


def small(png: bytes, file: Path) -> None:
    """Written with a palette: flat colours lose nothing by it, and the file is a third as big."""
    picture: Any = Image.open(io.BytesIO(png)).convert("RGB")
    picture.quantize(COLOURS, dither=Image.Dither.NONE).save(file, optimize=True)
