"""Reads all pages of a data source and does nothing with them: what the API server beside us gives at most.

python -m bench.fetch http://127.0.0.1:8001 DATA_SOURCE_ID
"""

from __future__ import annotations

import sys
import time
from typing import Any

import httpx

_HEADERS = {"Authorization": "Bearer local-sandbox", "Notion-Version": "2026-03-11"}


def fetch(base_url: str, data_source_id: str) -> int:
    """Returns how many pages there are. Follows the cursor, and windows where a query ends at 10,000 rows."""
    seen: set[str] = set()
    with httpx.Client(base_url=base_url, headers=_HEADERS, timeout=60) as client:
        body: dict[str, Any] = {"page_size": 100, "sorts": [{"timestamp": "created_time", "direction": "ascending"}]}
        while True:
            answer = client.post(f"/v1/data_sources/{data_source_id}/query", json=body).raise_for_status().json()
            seen.update(page["id"] for page in answer["results"])
            if answer["has_more"]:
                body["start_cursor"] = answer["next_cursor"]
            elif (answer.get("request_status") or {}).get("type") == "incomplete":
                since = {"on_or_after": answer["results"][-1]["created_time"]}
                body |= {"filter": {"timestamp": "created_time", "created_time": since}}
                del body["start_cursor"]
            else:
                return len(seen)


if __name__ == "__main__":
    began = time.perf_counter()
    fetch(*sys.argv[1:3])
    print(time.perf_counter() - began)
