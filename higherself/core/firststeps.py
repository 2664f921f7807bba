"""What `make run` does on a fresh machine before it is ready, and the screen it prints then."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Callable

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command

Say = Callable[[str], object]
ADMIN = "admin"

_LEAD = {
    "event_id": "01FIRSTLEAD",
    "event_type": "form_response",
    "form_response": {
        "form_id": "welcome",
        "token": "first-lead-0001",
        "landed_at": "2026-01-12T09:58:11Z",
        "submitted_at": "2026-01-12T10:00:00Z",
        "definition": {
            "id": "welcome",
            "title": "Welcome",
            "fields": [
                {"id": "f1", "ref": "first_name", "type": "short_text", "title": "Your first name"},
                {"id": "f2", "ref": "last_name", "type": "short_text", "title": "Your last name"},
                {"id": "f3", "ref": "email", "type": "email", "title": "Your email"},
                {"id": "f4", "ref": "phone", "type": "phone_number", "title": "Your phone"},
                {"id": "f5", "ref": "message", "type": "long_text", "title": "How can we help?"},
            ],
        },
        "answers": [
            {"type": "text", "text": "Ada", "field": {"id": "f1", "ref": "first_name", "type": "short_text"}},
            {"type": "text", "text": "Lovelace", "field": {"id": "f2", "ref": "last_name", "type": "short_text"}},
            {"type": "email", "email": "ada@example.com", "field": {"id": "f3", "ref": "email", "type": "email"}},
            {
                "type": "phone_number",
                "phone_number": "+441632960961",
                "field": {"id": "f4", "ref": "phone", "type": "phone_number"},
            },
            {
                "type": "text",
                "text": "I would love to book a retreat soon. What is the price?",
                "field": {"id": "f5", "ref": "message", "type": "long_text"},
            },
        ],
    },
}


def prepare(say: Say) -> str | None:
    """Brings the database up to date. Returns the administrator's password when one was made just now."""
    say("Preparing the database ...")
    call_command("migrate", verbosity=0, interactive=False)
    call_command("collectstatic", verbosity=0, interactive=False)
    call_command("seed", verbosity=0)
    users = get_user_model().objects
    if users.filter(is_superuser=True).exists():
        return None
    password = secrets.token_urlsafe(12)
    users.create_superuser(ADMIN, email="", password=password)
    return password


def set_sandbox_up(say: Say) -> None:
    say("Setting up the 16 databases in the local Notion sandbox ...")
    try:
        call_command("setup_notion", verbosity=0)
    except SystemExit:
        say("The sandbox's databases need a person, as said above. Everything else goes on.")


def greet(say: Say, host: str, port: int, password: str | None, sandbox: bool) -> None:
    base = f"http://{host}:{port}"
    lines = ["", "The HigherSelf Network Server is ready. Ctrl-C stops it.", f"  Admin      {base}/admin/"]
    if password:
        lines.append(f"  Log in     {ADMIN} / {password}   (shown this once; change it in the admin)")
    if sandbox:
        lines.append(f"  Notion     http://127.0.0.1:{settings.SANDBOX_PORT}/   (the local sandbox)")
    else:
        lines.append(f"  Notion     {settings.NOTION_BASE_URL}")
    lines += [f"  Health     {base}/health", "", "Submit a first lead:", "", first_lead(base), ""]
    say("\n".join(lines))


def first_lead(base: str) -> str:
    """A shell line that submits a lead as Typeform sends it, or by the website form where Typeform is not set up."""
    secret = settings.PROVIDERS["typeform"]["webhook_secret"].split(",")[0]
    if not secret:
        fields = {"email": "ada@example.com", "first_name": "Ada", "message": "I would love to book a retreat."}
        return _curl(f"{base}/api/forms/submit", json.dumps(fields), "Idempotency-Key: first-lead-0001")
    body = json.dumps(_LEAD, separators=(",", ":"))
    digest = hmac.new(secret.encode(), body.encode(), hashlib.sha256).digest()
    signature = base64.b64encode(digest).decode()
    return _curl(f"{base}/webhooks/typeform", body, f"Typeform-Signature: sha256={signature}")


def _curl(url: str, body: str, header: str) -> str:
    return f"curl -sS -X POST {url} -H 'Content-Type: application/json' -H '{header}' --data-binary '{body}'"
