"""What we read from Amelia's API, as a delivery that its webhook would make."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from higherself.integrations.delivery import Delivery


def reservation(kind: str, found: Mapping[str, Any], operation: str) -> Delivery:
    """Without the tokens that open a customer's page: nobody needs them here."""
    content = json.dumps({kind: _without_tokens(found)}, ensure_ascii=False, sort_keys=True)
    return Delivery(content.encode("utf-8", "replace"), content_type="application/json", pulled=operation)


def _without_tokens(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_tokens(item) for name, item in value.items() if name != "token"}
    return [_without_tokens(item) for item in value] if isinstance(value, list) else value
