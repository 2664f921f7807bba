"""Control over HTTP for sandboxes in another process; answers to loopback clients only."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from .service import Reply

if TYPE_CHECKING:
    from .sandbox import Sandbox


class Control:
    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    def answer(self, method: str, target: str, headers: Mapping[str, str], raw: bytes, client: str) -> Reply:
        if not client.startswith("127.") and client != "::1":
            return _json(403, {"detail": "The control endpoints answer to this machine only."})
        if headers.get("Origin"):
            return _json(403, {"detail": "The control endpoints do not answer to web pages."})
        name = urlsplit(target).path.removeprefix("/__control__/")
        try:
            body = json.loads(raw) if raw else {}
            if method == "GET" and name == "state":
                return _json(200, self.state())
            if method == "POST" and name in ("faults", "clock", "rate_limit", "settings", "webhooks", "share"):
                return _json(200, getattr(self, f"_{name}")(body))
        except (ValueError, TypeError, KeyError, ConnectionError) as error:
            return _json(400, {"detail": f"{name}: {error}"})
        return _json(404, {"detail": f"no control {method} {name}"})

    def state(self) -> dict[str, Any]:
        sandbox = self._sandbox
        ws = sandbox.ws
        return {
            "url": sandbox.url,
            "root_page_id": ws.root_page_id,
            "bot_id": ws.bot_id,
            "person_id": ws.person_id,
            "now": ws.clock.now(),
            "requests": len(sandbox.requests),
            "rate_limit": {
                "per_minute": sandbox.rate_limit.per_minute,
                "used": sandbox.rate_limit.used,
                "refused": sandbox.rate_limit.refused,
            },
            "faults": len(sandbox.faults),
            "settings": vars(ws.settings),
            "pages": len(ws.pages),
            "rows": {source.id: len(ws.rows[source.id]) for source in ws.sources.values()},
        }

    def _faults(self, body: dict[str, Any]) -> dict[str, Any]:
        """`{"kind": …, "method"?, "path"?, "times"?, "skip"?, "seconds"?}` or `{"clear": true}`."""
        if body.get("clear"):
            self._sandbox.faults.clear()
        else:
            self._sandbox.faults.add(**body)
        return {"faults": len(self._sandbox.faults)}

    def _clock(self, body: dict[str, Any]) -> dict[str, Any]:
        """`{"set": ISO}`, `{"advance": seconds}`, `{"freeze": true}`, `{"resume": true}`, `{"reset": true}`."""
        clock = self._sandbox.clock
        for name, value in body.items():
            if name in ("set", "advance"):
                getattr(clock, name)(value)
            elif name in ("freeze", "resume", "reset"):
                getattr(clock, name)()
            else:
                raise ValueError(f"unknown key {name!r}")
        return {"now": clock.now()}

    def _rate_limit(self, body: dict[str, Any]) -> dict[str, Any]:
        """`{"per_minute": 180}`; null switches it off."""
        self._sandbox.rate_limit = body["per_minute"]
        return {"per_minute": self._sandbox.service.rate_limit.per_minute}

    def _webhooks(self, body: dict[str, Any]) -> dict[str, Any]:
        """`{"url": …, "token"?, "types"?}` subscribes, `{"url": null}` ends it; `drop`, `duplicate`, `hold`,
        `aggregate_seconds` set the faults; `{"flush": true}` sends what waits."""
        sender = self._sandbox.webhooks
        for name in ("drop", "duplicate", "hold", "aggregate_seconds"):
            if name in body:
                setattr(sender, name, body[name])
        if "url" in body:
            if body["url"] is None:
                sender.unsubscribe()
            else:
                sender.subscribe(body["url"], token=body.get("token"), types=body.get("types"))
        if body.get("flush"):
            sender.flush()
        return {"url": sender.url, "verification_token": sender.token, "sent": len(sender.sent)}

    def _share(self, body: dict[str, Any]) -> dict[str, Any]:
        """`{"id": …, "shared": false}` takes an object away from the connection."""
        (self._sandbox.share if body["shared"] else self._sandbox.unshare)(body["id"])
        return {"id": body["id"], "shared": body["shared"]}

    def _settings(self, body: dict[str, Any]) -> dict[str, Any]:
        settings = self._sandbox.settings
        for name, value in body.items():
            if not hasattr(settings, name):
                raise ValueError(f"unknown setting {name!r}")
            setattr(settings, name, value)
        return dict(vars(settings))


def _json(status: int, body: dict[str, Any]) -> Reply:
    return Reply(status, json.dumps(body).encode())
