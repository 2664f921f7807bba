"""Logging in: lock-out, second factor, recovery codes, sessions, and being asked again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import Group, User
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_otp.oath import totp
from django_otp.plugins.otp_totp.models import TOTPDevice

from higherself.core.access import second_factor
from higherself.core.models import ApiToken, LoginAttempt, RecoveryCode
from higherself.core.roles import OWNER

pytestmark = pytest.mark.django_db
PASSWORD = "a-long-password"
LOGIN, INDEX = "/admin/login/", "/admin/"
NOW = timezone.now().replace(microsecond=0)


@pytest.fixture
def owner() -> User:
    user = User.objects.create_user("olga", password=PASSWORD, is_staff=True)
    user.groups.add(Group.objects.get(name=OWNER))
    return user


def _log_in(client: Client, password: str = PASSWORD, name: str = "olga", **extra: Any) -> Any:
    return client.post(f"{LOGIN}?next={INDEX}", {"username": name, "password": password}, **extra)


def _code(user: User) -> str:
    device = TOTPDevice.objects.get(user=user)
    return f"{totp(device.bin_key):06d}"


def _enrol(user: User) -> list[str]:
    second_factor.begin(user)
    codes = second_factor.confirm(user, _code(user), None)
    assert codes is not None
    # The code of this moment has been used; the next one is asked for.
    TOTPDevice.objects.filter(user=user).update(last_t=-1)
    return codes


def _is_in(client: Client) -> bool:
    return bool(client.get(INDEX).status_code == 200)


# -- lock-out -------------------------------------------------------------------------------------------------------
def test_the_password_alone_logs_in_while_the_second_factor_is_optional(client: Client, owner: User):
    assert _log_in(client)["Location"] == INDEX
    assert _is_in(client)


def test_an_account_is_closed_after_five_wrong_passwords_and_says_so(client: Client, owner: User):
    for _ in range(5):
        _log_in(client, "wrong")

    page = _log_in(client)

    assert not _is_in(client)
    assert "Too many attempts have failed. Try again in 15 minutes" in page.content.decode()


def test_the_lock_ends_by_itself(client: Client, owner: User):
    with time_machine.travel(NOW, tick=False) as clock:
        for _ in range(5):
            _log_in(client, "wrong")
        clock.shift(timedelta(minutes=15, seconds=1))
        _log_in(client)
        assert _is_in(client)


def test_four_failures_and_a_success_begin_a_new_count(client: Client, owner: User):
    for password in ("wrong",) * 4 + (PASSWORD,) + ("wrong",) * 4:
        _log_in(client, password)

    assert LoginAttempt.objects.get().failures == 4


def test_nobody_else_behind_the_same_address_is_locked_out(client: Client, owner: User):
    User.objects.create_superuser("otto", password=PASSWORD)
    for _ in range(6):
        _log_in(client, "wrong")

    _log_in(client, name="otto")

    assert _is_in(client)


def test_guessing_from_elsewhere_does_not_lock_the_person_out(client: Client, owner: User):
    _log_in(client, REMOTE_ADDR="192.0.2.7")
    for number in range(60):
        _log_in(Client(), "wrong", REMOTE_ADDR=f"198.51.100.{number}")

    known, unknown = Client(), Client()
    _log_in(known, REMOTE_ADDR="192.0.2.7")
    _log_in(unknown, REMOTE_ADDR="203.0.113.1")

    assert (_is_in(known), _is_in(unknown)) == (True, False)


def test_what_is_typed_as_a_name_and_is_no_account_is_not_stored_in_the_clear(client: Client, owner: User):
    _log_in(client, "x", name="hunter2-my-password")

    assert LoginAttempt.objects.get().account.startswith("unknown ")
    assert "hunter2" not in LoginAttempt.objects.get().account


def test_an_owner_sees_who_is_locked_and_unlocks(client: Client, owner: User):
    for _ in range(5):
        _log_in(Client(), "wrong", REMOTE_ADDR="192.0.2.7")
    client.force_login(owner)
    attempt = LoginAttempt.objects.get()

    home = client.get(INDEX)
    client.post(reverse("admin:core_loginattempt_do", args=[attempt.pk, "unlock"]))
    _log_in(other := Client(), REMOTE_ADDR="192.0.2.7")

    assert [item.name for item in home.context["matters"]] == ["lockouts"]
    assert _is_in(other)


# -- the second factor ----------------------------------------------------------------------------------------------
def test_staff_must_set_up_a_second_factor_where_it_is_required(client: Client, owner: User, settings: Any):
    settings.STAFF_SECOND_FACTOR = "required"
    _log_in(client)

    sent = client.get("/admin/contacts/contact/")
    page = client.get(sent["Location"])

    assert sent["Location"] == "/admin/second-factor/set-up/?next=%2Fadmin%2Fcontacts%2Fcontact%2F"
    assert (page.status_code, "<svg" in page.content.decode()) == (200, True)
    wrong = client.post("/admin/second-factor/set-up/", {"code": "000000"})
    assert "This code is not right" in wrong.content.decode()
    TOTPDevice.objects.update(throttling_failure_timestamp=None, throttling_failure_count=0)
    done = client.post("/admin/second-factor/set-up/", {"code": _code(owner), "next": "/admin/contacts/contact/"})
    codes = done.context["codes"]
    assert len(codes) == 10
    assert _is_in(client)


def test_recovery_codes_are_stored_as_digests_only(owner: User):
    codes = _enrol(owner)

    stored = list(RecoveryCode.objects.values_list("digest", flat=True))

    assert (len(stored), set(stored) & set(codes)) == (10, set())


@pytest.mark.parametrize("required", ["required", "optional"])
def test_whoever_has_a_second_factor_gets_nowhere_without_the_code(
    client: Client, owner: User, settings: Any, required: str
):
    settings.STAFF_SECOND_FACTOR = required
    _enrol(owner)
    _log_in(client)

    assert client.get("/admin/contacts/contact/")["Location"].startswith("/admin/second-factor/?next=")
    assert client.post("/admin/contacts/contact/add/", {"email": "a@example.org"}).status_code == 302
    assert client.get("/workflows/").status_code in {401, 403}
    # Nor can it be replaced by whoever has only the password.
    assert client.get("/admin/second-factor/set-up/")["Location"] == "/admin/second-factor/"
    client.post("/admin/second-factor/", {"code": "000000"})
    assert not _is_in(client)
    TOTPDevice.objects.update(throttling_failure_timestamp=None, throttling_failure_count=0)
    answer = client.post("/admin/second-factor/", {"code": _code(owner), "next": "/admin/contacts/contact/"})
    assert answer["Location"] == "/admin/contacts/contact/"
    assert _is_in(client)


def test_a_code_is_good_for_once(owner: User):
    _enrol(owner)
    code = _code(owner)

    assert (second_factor.check(owner, code), second_factor.check(owner, code)) == (True, False)


def test_a_recovery_code_stands_in_for_the_phone_once(client: Client, owner: User):
    codes = _enrol(owner)
    _log_in(client)

    client.post("/admin/second-factor/", {"code": codes[0].upper()})

    assert _is_in(client)
    assert second_factor.check(owner, codes[0]) is False
    assert second_factor.codes_left(owner) == 9


def test_wrong_codes_lock_like_wrong_passwords(client: Client, owner: User):
    codes = _enrol(owner)
    _log_in(client)
    for _ in range(5):
        client.post("/admin/second-factor/", {"code": "zzzz-zzzz-zzzz-zzzz"})

    page = client.post("/admin/second-factor/", {"code": codes[0]})

    assert "Too many attempts have failed" in page.content.decode()
    assert not _is_in(client)


def test_a_session_from_before_the_second_factor_was_required_must_set_it_up(
    client: Client, owner: User, settings: Any
):
    _log_in(client)
    settings.STAFF_SECOND_FACTOR = "required"

    assert client.get(INDEX)["Location"].startswith("/admin/second-factor/set-up/")


def test_an_owner_resets_a_lost_second_factor_and_the_sessions_end(client: Client, owner: User):
    other = User.objects.create_user("vera", password=PASSWORD, is_staff=True)
    codes = _enrol(other)
    hers = Client()
    _log_in(hers, name="vera")
    hers.post("/admin/second-factor/", {"code": codes[0]})
    assert _is_in(hers)
    client.force_login(owner)

    client.post(reverse("admin:auth_user_do", args=[other.pk, "reset_second_factor"]))

    assert (second_factor.is_enrolled(other), second_factor.codes_left(other), _is_in(hers)) == (False, 0, False)


def test_the_command_resets_the_last_owners_second_factor(owner: User, capsys: Any):
    _enrol(owner)

    call_command("reset_second_factor", "olga")

    assert second_factor.is_enrolled(owner) is False


def test_one_switches_it_off_only_where_it_is_optional(client: Client, owner: User, settings: Any):
    codes = _enrol(owner)
    _log_in(client)
    client.post("/admin/second-factor/", {"code": codes[0]})

    settings.STAFF_SECOND_FACTOR = "required"
    client.post("/admin/account/second-factor-off/")
    kept = second_factor.is_enrolled(owner)
    settings.STAFF_SECOND_FACTOR = "optional"
    client.post("/admin/account/second-factor-off/")

    assert (kept, second_factor.is_enrolled(owner), _is_in(client)) == (True, False, True)


def test_new_recovery_codes_void_the_old_ones(client: Client, owner: User):
    codes = _enrol(owner)
    _log_in(client)
    client.post("/admin/second-factor/", {"code": codes[0]})

    fresh = client.post("/admin/account/recovery-codes/").context["codes"]

    assert (second_factor.check(owner, codes[1]), second_factor.check(owner, fresh[0])) == (False, True)


# -- sessions -------------------------------------------------------------------------------------------------------
def test_a_closed_account_is_out_at_once_and_stays_out_when_it_is_opened_again(client: Client, owner: User):
    _log_in(client)

    owner.is_active = False
    owner.save()
    closed = _is_in(client)
    owner.is_active = True
    owner.save()

    assert (closed, _is_in(client)) == (False, False)


def test_a_new_password_ends_the_other_sessions(client: Client, owner: User):
    _log_in(client)
    _log_in(other := Client())

    form = {
        "old_password": PASSWORD,
        "new_password1": "another-long-passphrase",
        "new_password2": "another-long-passphrase",
    }
    assert client.post(reverse("admin:password_change"), form).status_code == 302

    assert (_is_in(client), _is_in(other)) == (True, False)


# -- sensitive work -------------------------------------------------------------------------------------------------
def test_sensitive_pages_ask_for_the_password_again_after_ten_minutes(client: Client, owner: User):
    token = ApiToken.objects.create(name="robot", digest="x")
    urls = [
        reverse("admin:auth_user_add"),
        reverse("admin:auth_user_change", args=[owner.pk]),
        reverse("admin:auth_user_delete", args=[owner.pk]),
        reverse("admin:auth_user_password_change", args=[owner.pk]),
        reverse("admin:auth_group_add"),
        reverse("admin:core_apitoken_change", args=[token.pk]),
    ]
    with time_machine.travel(NOW, tick=False) as clock:
        _log_in(client)
        fresh = [client.get(url).status_code for url in urls]
        clock.shift(timedelta(minutes=11))
        stale = [client.get(url).get("Location", "")[:15] for url in urls]
        revoked = client.post(reverse("admin:core_apitoken_do", args=[token.pk, "revoke"]))
        token.refresh_from_db()
        assert (revoked["Location"][:15], token.revoked_at) == ("/admin/confirm/", None)
        assert (fresh, stale) == ([200] * 6, ["/admin/confirm/"] * 6)

        wrong = client.post("/admin/confirm/", {"password": "no", "next": urls[0]})
        assert "This password is not right." in wrong.content.decode()
        assert client.get(urls[0]).status_code == 302
        right = client.post("/admin/confirm/", {"password": PASSWORD, "next": urls[0]})
        assert right["Location"] == urls[0]
        assert client.get(urls[0]).status_code == 200


def test_the_page_for_the_password_leads_nowhere_else(client: Client, owner: User):
    _log_in(client)

    answer = client.post("/admin/confirm/", {"password": PASSWORD, "next": "https://evil.example/"})

    assert answer["Location"] == INDEX


@pytest.mark.parametrize(
    "path",
    [
        "/admin/confirm/",
        "/admin/account/",
        "/admin/account/recovery-codes/",
        "/admin/second-factor/",
        "/admin/second-factor/set-up/",
    ],
)
def test_strangers_are_sent_to_the_log_in_page(client: Client, path: str):
    assert client.get(path)["Location"].startswith(LOGIN)
