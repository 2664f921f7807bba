"""Pages of long lists without counting millions of rows."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.utils.functional import cached_property

# A list that is longer is shown as "more than"; filters and search reach the rest.
COUNT_LIMIT = 10_000


class BoundedPaginator(Paginator):  # type: ignore[type-arg]
    """Counts no further than `COUNT_LIMIT`: the database stops reading there."""

    template_name = "console/pagination.html"

    @cached_property
    def _counted(self) -> int:
        rows: Any = self.object_list
        return rows.order_by()[: COUNT_LIMIT + 1].count() if hasattr(rows, "order_by") else len(rows)

    @property
    def count(self) -> int:  # type: ignore[override]
        return min(self._counted, COUNT_LIMIT)

    @property
    def is_cut(self) -> bool:
        return self._counted > COUNT_LIMIT
