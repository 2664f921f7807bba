"""What a run has done, in words."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.translation import ngettext_lazy

# In the order in which they matter.
COUNTS = {
    "pulled": ngettext_lazy("%d pulled", "%d pulled"),
    "pushed": ngettext_lazy("%d pushed", "%d pushed"),
    "created_local": ngettext_lazy("%d created here", "%d created here"),
    "created_notion": ngettext_lazy("%d created in Notion", "%d created in Notion"),
    "trashed": ngettext_lazy("%d put aside", "%d put aside"),
    "restored": ngettext_lazy("%d restored", "%d restored"),
    "conflicts": ngettext_lazy("%d conflict", "%d conflicts"),
    "errors": ngettext_lazy("%d error", "%d errors"),
}


def said(counts: Mapping[str, int]) -> str:
    """``3 pulled, 1 conflict``; empty where nothing was done."""
    return ", ".join(str(words % counts[name]) for name, words in COUNTS.items() if counts.get(name))
