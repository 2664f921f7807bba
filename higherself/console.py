"""The look of the admin: django-unfold's one dictionary."""

from __future__ import annotations

from typing import Any

UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "HigherSelf Network",
    "SITE_HEADER": "HigherSelf Network",
    "SITE_SYMBOL": "self_improvement",
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "BORDER_RADIUS": "8px",
}
