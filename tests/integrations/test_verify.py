"""Signatures, checked against the vectors that the providers publish or test with."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from higherself.integrations import verify
from tests.integrations.support import raw

HUBSPOT_SECRET = "yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy"
HUBSPOT_URI = "https://www.example.com/webhook_uri"
HUBSPOT_BODY = b"{'example_field':'example_value'}"
SVIX = {"message_id": "msg_p5jXN8AQM9LWM0D4loKWxJek", "timestamp": "1614265330"}
SVIX_BODY = b'{"test": 2432232314}'
SVIX_SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
SVIX_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def test_a_typeform_signature_of_the_published_kind_is_genuine():
    given_signature = "sha256=VsvwNrh0fT5VWF+05H3azXZXJyFkhHTtONMxIVm6PZ4="
    body = raw("typeform/form_response.signed.raw")
    assert verify.hmac_base64(body, given_signature, ["123456"], prefix="sha256=") is True
    assert verify.hmac_base64(body + b" ", given_signature, ["123456"], prefix="sha256=") is False
    assert verify.hmac_base64(body, given_signature, ["1234567"], prefix="sha256=") is False
    assert verify.hmac_base64(body, given_signature.removeprefix("sha256="), ["123456"], prefix="sha256=") is False


def test_a_woocommerce_signature_has_no_prefix():
    body = b'{"id":727,"status":"processing"}'
    assert verify.hmac_base64(body, "oHKVUezLyoZGVtdMpzfwGW0pN6/LrcsobvG9OOnQluY=", ["wc_test_secret"]) is True


def test_an_airtable_mac_is_made_with_the_decoded_secret():
    mac = "hmac-sha256=e26da696a90933647bddc83995c3e1e3bb1c3d8ce1ff61cb7469767d50b2b2d4"
    body = raw("airtable/ping.signed.raw")
    assert verify.airtable(body, mac, ["c2VjcmV0LWtleQ=="]) is True
    assert verify.airtable(body, mac, ["secret-key"]) is False


@pytest.mark.parametrize(
    ("stamp", "signature"),
    [
        ("1693657560000", "K36dawei4A+QBNolUOqo7s91KQDWQ5MXZ/QufNYuk/Y="),
        ("1700000300000", "RnbPH7+UMKVkbV32P8bz450N4M56aPmcru1+D3kSDtw="),
    ],
)
def test_a_hubspot_v3_signature_covers_method_address_body_and_time(stamp: str, signature: str):
    def check(now: float, **changes: object) -> bool:
        parts = {"method": "POST", "uri": HUBSPOT_URI, "timestamp": stamp, "given": signature} | changes
        return verify.hubspot_v3(HUBSPOT_BODY, secrets=[HUBSPOT_SECRET], now=now, **parts)

    sent = int(stamp) / 1000
    assert check(sent) is True
    assert check(sent + 300) is True
    assert check(sent + 301) is False
    assert check(sent - 301) is False
    assert check(sent, method="GET") is False
    assert check(sent, uri=HUBSPOT_URI + "?a=1") is False
    assert check(sent, timestamp="") is False
    assert check(sent, timestamp="٣٣٣") is False
    assert check(sent, given="") is False


def test_hubspot_decodes_only_what_it_lists_in_an_address():
    assert verify.hubspot_uri("https://x.test/a%3Ab%2fc?q=%20%40%2C") == "https://x.test/a:b/c?q=%20@,"


def test_a_svix_signature_is_genuine_for_five_minutes():
    def check(now: float, **changes: object) -> bool:
        parts = {**SVIX, "signatures": SVIX_SIGNATURE, "secrets": [SVIX_SECRET]} | changes
        return verify.svix(SVIX_BODY, now=now, **parts)

    assert check(1614265330) is True
    assert check(1614265330 + 300) is True
    assert check(1614265330 + 301) is False
    assert check(1614265330 - 301) is False
    assert check(1614265330, signatures=f"v1,AAAA v1a,x {SVIX_SIGNATURE}") is True
    assert check(1614265330, signatures="v1,AAAA") is False
    assert check(1614265330, message_id="msg_other") is False
    assert check(1614265330, timestamp="soon") is False
    assert check(1614265330, timestamp="9" * 5000) is False
    assert check(1614265330, secrets=["whsec_not base64!"]) is False


def test_a_notion_signature_is_hex():
    body = b'{"type":"page.created"}'
    good = "sha256=" + verify.sign_hex(b"secret_x", body)
    assert verify.hmac_hex(body, good, ["secret_x"], prefix="sha256=") is True
    assert verify.hmac_hex(body, good.upper(), ["secret_x"], prefix="sha256=") is False


def test_either_of_two_secrets_proves_a_delivery_during_a_rotation():
    secrets = verify.split_secrets(" old , new ")
    assert secrets == ["old", "new"]
    for secret in secrets:
        assert verify.hmac_base64(b"x", verify.sign_base64(secret.encode(), b"x"), secrets) is True
        assert verify.secret_matches(secret, secrets) is True
    assert verify.secret_matches("old , new", secrets) is False


@pytest.mark.parametrize("setting", ["", " ", ",", " , ,"])
def test_without_a_secret_nothing_is_genuine(setting: str):
    secrets = verify.split_secrets(setting)
    assert secrets == []
    for given_text in ("", "x", verify.sign_base64(b"", b"x"), verify.sign_hex(b"", b"x")):
        assert verify.secret_matches(given_text, secrets) is False
        assert verify.hmac_base64(b"x", given_text, secrets) is False
        assert verify.hmac_hex(b"x", given_text, secrets) is False
        assert verify.airtable(b"x", given_text, secrets) is False
        assert verify.svix(b"x", now=0, message_id="a", timestamp="0", signatures=given_text, secrets=secrets) is False
    assert verify.secret_matches(None, ["x"]) is False


@given(st.text(), st.binary())
def test_no_signature_that_a_stranger_makes_up_is_genuine_or_breaks_the_check(signature: str, body: bytes):
    assert verify.secret_matches(signature, ["a-secret-of-ours"]) is False
    assert verify.hmac_base64(body, signature, ["a-secret-of-ours"]) is False
    assert verify.hmac_hex(body, signature, ["a-secret-of-ours"]) is False
    assert verify.airtable(body, signature, ["c2VjcmV0LWtleQ=="]) is False
    svix = {"message_id": signature, "timestamp": "0", "signatures": signature}
    assert verify.svix(body, now=0, secrets=["c2VjcmV0LWtleQ=="], **svix) is False
    hubspot = {"method": "POST", "uri": signature, "timestamp": "0", "given": signature}
    assert verify.hubspot_v3(body, now=0, secrets=["a-secret-of-ours"], **hubspot) is False
