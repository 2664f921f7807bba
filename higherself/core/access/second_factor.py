"""The second factor: a code from the phone, or a recovery code when the phone is lost."""

from __future__ import annotations

import base64
import hashlib
import secrets
from typing import Any

import segno
from django.conf import settings
from django.db import transaction
from django.utils.safestring import SafeString, mark_safe
from django_otp.plugins.otp_totp.models import TOTPDevice

from higherself.core.access.models import RecoveryCode
from higherself.core.access.sessions import end_sessions

# What a session says about the second factor; nothing when it has not been settled yet.
KEY = "second_factor"
PASSED, NONE = "passed", "none"
CODES = 10


def is_required() -> bool:
    """Whether staff must have one."""
    return bool(settings.STAFF_SECOND_FACTOR == "required")


def is_enrolled(user: Any) -> bool:
    return bool(TOTPDevice.objects.filter(user_id=user.pk, confirmed=True).exists())


def begin(user: Any) -> TOTPDevice:
    """The device that is being set up; the same one while it is not confirmed, so that a reload shows one code."""
    found: TOTPDevice | None = TOTPDevice.objects.filter(user_id=user.pk, confirmed=False).first()
    return found or TOTPDevice.objects.create(user_id=user.pk, name="phone", confirmed=False)


def address(device: TOTPDevice) -> str:
    """What the QR code says. Source: github.com/google/google-authenticator/wiki/Key-Uri-Format."""
    return str(device.config_url)


def picture(device: TOTPDevice) -> SafeString:
    """The QR code as inline SVG: dark on white in both themes, because not every camera reads it inverted."""
    svg = segno.make(address(device), error="m").svg_inline(scale=4, border=3, dark="#000", light="#fff")
    return mark_safe(svg)  # noqa: S308 - made of black squares by a library; no text of the address is in it


def secret_text(device: TOTPDevice) -> str:
    """The secret for typing, in groups of four."""
    text = base64.b32encode(device.bin_key).decode().rstrip("=")
    return " ".join(text[at : at + 4] for at in range(0, len(text), 4))


def confirm(user: Any, code: str, session_key: str | None) -> list[str] | None:
    """Ends the set-up with a first code: the recovery codes, to be shown once, or None when the code is wrong.

    An older device and its recovery codes are gone with it, and so are the person's other sessions.
    """
    with transaction.atomic():
        device = TOTPDevice.objects.select_for_update().filter(user_id=user.pk, confirmed=False).first()
        if device is None or not device.verify_token(_digits(code)):
            return None
        TOTPDevice.objects.filter(user_id=user.pk).exclude(pk=device.pk).delete()
        device.confirmed = True
        device.save(update_fields=["confirmed"])
        codes = renew_codes(user)
    end_sessions(user.pk, but=session_key)
    return codes


def renew_codes(user: Any) -> list[str]:
    """New recovery codes, 80 random bits each; the old ones are void."""
    codes = [_new_code() for _ in range(CODES)]
    with transaction.atomic():
        RecoveryCode.objects.filter(user_id=user.pk).delete()
        RecoveryCode.objects.bulk_create([RecoveryCode(user_id=user.pk, digest=_digest(code)) for code in codes])
    return codes


def codes_left(user: Any) -> int:
    return RecoveryCode.objects.filter(user_id=user.pk).count()


def check(user: Any, code: str) -> bool:
    """Whether the code is right. Each is good for once, also when it comes twice at the same moment."""
    digits = _digits(code)
    if digits.isdigit() and len(digits) == 6:
        with transaction.atomic():
            device = TOTPDevice.objects.select_for_update().filter(user_id=user.pk, confirmed=True).first()
            return bool(device is not None and device.verify_token(digits))
    deleted, _rows = RecoveryCode.objects.filter(user_id=user.pk, digest=_digest(code)).delete()
    return bool(deleted)


def remove(user: Any, *, but_session: str | None = None) -> None:
    """Takes the second factor away. Every session ends: whoever lost the phone may have lost more."""
    with transaction.atomic():
        TOTPDevice.objects.filter(user_id=user.pk).delete()
        RecoveryCode.objects.filter(user_id=user.pk).delete()
    end_sessions(user.pk, but=but_session)


def _new_code() -> str:
    text = base64.b32encode(secrets.token_bytes(10)).decode().lower()
    return "-".join(text[at : at + 4] for at in range(0, 16, 4))


def _digest(code: str) -> str:
    # Random codes of 80 bits need no slow hash.
    plain = "".join(one for one in code.lower() if one.isalnum())
    return hashlib.sha256(plain.encode()).hexdigest()


def _digits(code: str) -> str:
    return "".join(code.split())
