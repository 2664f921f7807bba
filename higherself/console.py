"""The look of the admin: django-unfold's one dictionary. What it shows is made in `higherself.core.adminsite`."""

from __future__ import annotations

from typing import Any

_HOME = "higherself.core.adminsite.home"
_NAVIGATION = "higherself.core.adminsite.navigation.navigation"

# A calm teal on warm greys; both carry text at a contrast of 4.5 to 1 and more, in light and in dark.
_PRIMARY = {
    "50": "oklch(97.8% .015 182)",
    "100": "oklch(94.5% .035 182)",
    "200": "oklch(89% .06 182)",
    "300": "oklch(82% .09 182)",
    "400": "oklch(72% .1 183)",
    "500": "oklch(60% .095 185)",
    "600": "oklch(50% .085 187)",
    "700": "oklch(43% .072 189)",
    "800": "oklch(37% .06 191)",
    "900": "oklch(31% .048 194)",
    "950": "oklch(23% .036 197)",
}
_BASE = {
    "50": "oklch(98.4% .003 95)",
    "100": "oklch(96.5% .004 95)",
    "200": "oklch(92.2% .005 95)",
    "300": "oklch(86.6% .006 95)",
    "400": "oklch(71% .008 95)",
    "500": "oklch(54% .01 95)",
    "600": "oklch(44% .01 95)",
    "700": "oklch(36.5% .01 95)",
    "800": "oklch(27% .008 95)",
    "900": "oklch(20.5% .006 95)",
    "950": "oklch(14% .005 95)",
}

UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "HigherSelf Network",
    "SITE_HEADER": "HigherSelf Network",
    "SITE_SYMBOL": "self_improvement",
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_BACK_BUTTON": True,
    "BORDER_RADIUS": "8px",
    "COLORS": {"primary": _PRIMARY, "base": _BASE},
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": f"{_HOME}.favicon"}],
    "STYLES": [f"{_HOME}.stylesheet", f"{_HOME}.pages_stylesheet"],
    "SCRIPTS": [f"{_HOME}.script"],
    "GLOBAL_CALLBACK": f"{_HOME}.context",
    "DASHBOARD_CALLBACK": f"{_HOME}.home",
    "LOGIN": {"form": "higherself.core.access.forms.LoginForm"},
    "ACCOUNT": {"navigation": f"{_HOME}.own_page"},
    "SIDEBAR": {"show_search": True, "command_search": True, "navigation": _NAVIGATION},
    "COMMAND": {"search_callback": "higherself.core.adminsite.search.search"},
}
