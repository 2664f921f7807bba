"""Deliveries as the providers send them: payload files, and a signature of each scheme."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from higherself.integrations.delivery import Delivery
from higherself.integrations.verify import sign_base64, sign_hex

PAYLOADS = Path(__file__).resolve().parent.parent / "payloads"
TYPEFORM_SECRET = "123456"


def payload(name: str) -> Any:
    return json.loads((PAYLOADS / name).read_bytes())


def raw(name: str) -> bytes:
    return (PAYLOADS / name).read_bytes()


def typeform_headers(body: bytes, secret: str = TYPEFORM_SECRET) -> dict[str, str]:
    return {"Typeform-Signature": "sha256=" + sign_base64(secret.encode(), body)}


def typeform_body(token: str, **response: Any) -> bytes:
    data = payload("typeform/form_response.json")
    data["form_response"] |= {"token": token, **response}
    return json.dumps(data).encode()


def json_delivery(body: Any, **options: Any) -> Delivery:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Delivery(body=content, content_type="application/json", **options)


def sent(name: str, **options: Any) -> Delivery:
    """A payload as its provider sends it: some say what happened outside of the body, and here in the file's name.

    ``amelia/event.bookingAdded.json`` comes to an address with that action, ``woocommerce/order.deleted.json`` with
    that topic in a header.
    """
    slug, _, file = name.partition("/")
    stem = file.rsplit(".", 1)[0]
    if slug == "amelia":
        options.setdefault("query", f"action={stem.partition('.')[2]}")
    if slug == "woocommerce":
        options.setdefault("headers", {"X-WC-Webhook-Topic": stem, "X-WC-Webhook-ID": "142"})
    return json_delivery(raw(name), **options)


@dataclass(frozen=True)
class Proof:
    """What proves a delivery: headers, or the token at the end of the path."""

    headers: dict[str, str] = field(default_factory=dict)
    token: str = ""


Sign = Callable[[bytes, str, str], Proof]


def typeform(body: bytes, secret: str, url: str) -> Proof:
    return Proof(typeform_headers(body, secret))


def hubspot(body: bytes, secret: str, url: str) -> Proof:
    stamp = str(int(time.time() * 1000))
    signature = sign_base64(secret.encode(), b"POST" + url.encode() + body + stamp.encode())
    return Proof({"X-HubSpot-Signature-v3": signature, "X-HubSpot-Request-Timestamp": stamp})


def woocommerce(body: bytes, secret: str, url: str) -> Proof:
    return Proof({"X-WC-Webhook-Signature": sign_base64(secret.encode(), body), "X-WC-Webhook-Topic": "order.created"})


def airtable(body: bytes, secret: str, url: str) -> Proof:
    return Proof({"X-Airtable-Content-MAC": "hmac-sha256=" + sign_hex(base64.b64decode(secret), body)})


def notion(body: bytes, secret: str, url: str) -> Proof:
    return Proof({"X-Notion-Signature": "sha256=" + sign_hex(secret.encode(), body)})


def svix(body: bytes, secret: str, url: str) -> Proof:
    stamp = str(int(time.time()))
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signature = "v1," + sign_base64(key, b"msg_1." + stamp.encode() + b"." + body)
    return Proof({"svix-id": "msg_1", "svix-timestamp": stamp, "svix-signature": "v1,AAAA " + signature})


def by_header(body: bytes, secret: str, url: str) -> Proof:
    return Proof({"X-Webhook-Secret": secret})


def by_path(body: bytes, secret: str, url: str) -> Proof:
    return Proof(token=secret)
