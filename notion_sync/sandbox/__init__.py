"""A local Notion: an HTTP server that the Notion SDK uses unchanged, for trying out and for tests.

As a program (any bearer token is accepted unless --token is given; prints one line when ready):

    python -m notion_sync.sandbox --port 8001 --host 127.0.0.1 --data FILE [--rate-limit N] [--token TOKEN]
        [--webhook-url URL --webhook-token TOKEN]

It keeps its data in FILE (in memory without one), ends cleanly on SIGTERM, and exits with 2 when the address
or the file is taken. Its address in a browser shows pages on which a person edits the rows.

In a test:

    from notion_sync.sandbox import Sandbox

    with Sandbox() as sb:
        client = notion_client.Client(auth=sb.token, base_url=sb.url, notion_version="2026-03-11")
        client.databases.create(parent={"page_id": sb.root_page_id}, ...)

`Sandbox(data=":memory:", host="127.0.0.1", port=0, token=…, rate_limit=None, clock=None)` offers

- `url`, `token`, `root_page_id`, `bot_id`;
- `person` (and `as_person(name)`): `create(source, values)`, `update(page_id, values)`, `trash`, `restore`,
  `archive`, `move`, `duplicate`, `rename_property`, `delete_property`, `change_schema`, `rename_option`,
  `trash_database`, `restore_database`, `comment`: edits by a person, with simple values
  (`{"Phone": "123", "Tags": ["A"]}`), past limits and faults; `person_token()` for the same over HTTP;
- `page(id)`, `values(id)` (simple values by name), `pages(source)`, `data_source_id(title)`;
  `source` is the id or the title of a database or data source;
- `requests`: a list of `(method, path, status)` (status 0: connection dropped), `.count_of(method, path, status)`,
  `.clear()`;
- `faults.add(kind, method=None, path=None, times=1, skip=0, seconds=1)` and `faults.clear()`; kinds:
  `conflict` 409, `internal_error` 500, `bad_gateway` 502 with an HTML body, `unavailable` and
  `database_unavailable` 503 not saved, `unavailable_saved` 503 saved with committed_resource_id,
  `gateway_timeout` and `gateway_timeout_saved` 504, `overload` 529, `rate_limited` and `blocked` 429,
  `unauthorized` 401, `restricted` 403, `validation` 400, `drop_before` and `drop_after` (connection reset
  before or after the write), `slow` (answers after `seconds`);
- `rate_limit = 180` (None: off), `rate_limit.used`, `rate_limit.refused`, `rate_limit.reset()`;
- `clock.set("2026-11-23T10:00:30Z")`, `.advance(seconds)`, `.freeze()`, `.resume()`, `.reset()`;
- `settings.query_cap`, `.index_lag` (seconds), `.cursor_seconds`, `.bump_reverse`; `expire_cursors()`;
- `unshare(id)`, `share(id)`;
- `webhooks.subscribe(url, token=None, types=None)` (without a token it makes one and does the hand-shake),
  `.unsubscribe()`, `.flush()` (sends what waits and waits until it is sent), `.sent` (every attempt: `.body`,
  `.status`), faults as counters of events to come: `.drop`, `.duplicate`, `.hold`; `.aggregate_seconds`,
  `.retry_seconds`.

Out of process, from the same machine: `GET /__control__/state`, `POST /__control__/faults`,
`/__control__/clock`, `/__control__/rate_limit`, `/__control__/settings`, `/__control__/webhooks`,
`/__control__/share` (see control.py for the bodies).
"""

from .sandbox import TOKEN, Sandbox

__all__ = ["TOKEN", "Sandbox"]
