"""`python -m notion_sync.sandbox`: the sandbox as a program of its own."""

from __future__ import annotations

import argparse
import signal
import sqlite3
import sys

from .sandbox import Sandbox


def main(argv: list[str] | None = None) -> int:
    parser = _parser()
    options = parser.parse_args(argv)
    if bool(options.webhook_url) != bool(options.webhook_token):
        parser.error("--webhook-url and --webhook-token go together")
    try:
        sandbox = Sandbox(
            data=options.data,
            host=options.host,
            port=options.port,
            token=options.token,
            rate_limit=options.rate_limit,
        )
        if options.webhook_url:
            sandbox.webhooks.subscribe(options.webhook_url, token=options.webhook_token)
    except (OSError, ValueError, sqlite3.Error) as error:
        place = f"{options.host}:{options.port} with data in {options.data}"
        sys.stderr.write(f"The sandbox cannot start on {place}: {error}. Is another one running there?\n")
        return 2

    def stop(*_: object) -> None:
        sandbox.stop_serving()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    print(f"Notion sandbox ready at {sandbox.url}", flush=True)  # noqa: T201 - the one line it prints
    sandbox.serve_forever()
    sandbox.close()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m notion_sync.sandbox", description="A local Notion.")
    parser.add_argument("--port", type=int, default=8001, help="0 takes a free one (default: 8001)")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: 127.0.0.1)")
    parser.add_argument("--data", default=":memory:", metavar="FILE", help="data file (default: in memory)")
    parser.add_argument("--rate-limit", type=int, metavar="N", help="requests per minute (default: no limit)")
    parser.add_argument("--webhook-url", metavar="URL", help="where to send webhooks (default: nowhere)")
    parser.add_argument("--webhook-token", metavar="TOKEN", help="the verification token that signs them")
    parser.add_argument("--token", help="the only bearer token accepted (default: any)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
