"""Reading a body carefully: whatever a stranger sends, the answer is a value or one of our errors."""

from __future__ import annotations

import gzip
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from higherself.integrations.delivery import BadBody, Delivery, TooLarge, Unreadable, db_text

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"


def delivery(body: bytes, content_type: str = JSON, **headers: str) -> Delivery:
    return Delivery(body, {name.replace("_", "-"): value for name, value in headers.items()}, content_type=content_type)


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b'{"a": 1}', {"a": 1}),
        (b'\xef\xbb\xbf{"a": 1}', {"a": 1}),
        (b'{"a": 1, "a": 2}', {"a": 2}),
        (b"null", None),
        (b'"x"', "x"),
        (b"[" + b"9" * 5000 + b"]", ["9" * 5000]),
        (b"[1e999, 1.5]", ["1e999", 1.5]),
        (b'["\\u0000"]', ["\x00"]),
    ],
)
def test_json_is_read(body: bytes, value: object):
    assert delivery(body).json == value


@pytest.mark.parametrize(
    "body", [b"", b"{", b"NaN", b"[Infinity]", b"[-Infinity]", b"\xff", b"a=1", b'{"a":}', b"{} {}", b"\x00"]
)
def test_what_is_no_json_is_a_bad_body(body: bytes):
    with pytest.raises(BadBody, match="is not JSON"):
        _ = delivery(body).json
    with pytest.raises(BadBody):
        delivery(body).check()


def test_json_nested_beyond_reading_is_unreadable_but_no_bad_body():
    deep = delivery(b"[" * 100_000 + b"]" * 100_000)
    with pytest.raises(Unreadable) as caught:
        _ = deep.json
    assert type(caught.value) is Unreadable
    assert deep.check() is None


@pytest.mark.parametrize("body", [b"[]", b"1", b"null", b'"x"'])
def test_an_object_is_expected_where_one_is_asked_for(body: bytes):
    with pytest.raises(Unreadable, match="A JSON object was expected"):
        _ = delivery(body).object
    assert delivery(body).check() is None


def test_a_body_of_no_declared_type_promises_nothing():
    assert delivery(b"\xff\x00", "").check() is None
    assert delivery(b"\xff\x00", "text/plain").check() is None
    assert delivery(b"\xff\x00", "application/octet-stream").check() is None


def test_a_gzip_body_is_unpacked_and_kept_as_it_travelled():
    packed = gzip.compress(b'{"a": 1}')
    found = delivery(packed, content_encoding="gzip")
    assert found.json == {"a": 1}
    assert found.body == packed


@pytest.mark.parametrize("body", [b"", b"{}", gzip.compress(b"{}", mtime=0)[:-4], b"\x1f\x8b"])
def test_what_is_no_gzip_is_a_bad_body(body: bytes):
    with pytest.raises(BadBody, match="is not gzip"):
        delivery(body, content_encoding="gzip").check()


def test_an_unknown_content_encoding_cannot_be_read_but_is_no_lie():
    found = delivery(b"{}", content_encoding="br")
    with pytest.raises(Unreadable, match="'br' is not known"):
        _ = found.json
    assert found.check() is None


def test_a_gzip_body_of_several_members_is_unpacked_whole():
    packed = gzip.compress(b'{"a":') + gzip.compress(b" 1}")
    assert delivery(packed, content_encoding="gzip").json == {"a": 1}
    with pytest.raises(BadBody, match="is not gzip"):
        delivery(packed + b"rest", content_encoding="gzip").check()


def test_a_bomb_of_many_members_is_stopped_too(settings):
    settings.MAX_BODY_BYTES = 1000
    with pytest.raises(TooLarge, match="over 1000 bytes"):
        delivery(gzip.compress(b" " * 400) * 3, content_encoding="gzip").check()


@pytest.mark.parametrize("charset", ["iso-8859-1", "windows-1252", "UTF-16"])
def test_a_body_in_the_charset_that_its_type_names_is_read(charset: str):
    body = '{"name": "Zoë"}'.encode(charset)
    found = delivery(body, f'application/json; charset="{charset}"')
    assert (found.check(), found.json) == (None, {"name": "Zoë"})
    with pytest.raises(BadBody, match="is not JSON in UTF-8"):
        delivery(body, "application/json; charset=utf-8").check()


def test_a_gzip_bomb_is_stopped_at_the_limit(settings):
    settings.MAX_BODY_BYTES = 1000
    with pytest.raises(TooLarge, match="over 1000 bytes"):
        delivery(gzip.compress(b" " * 10_000_000), content_encoding="gzip").check()
    assert delivery(gzip.compress(b'"' + b"x" * 998 + b'"'), content_encoding="gzip").json == "x" * 998


def test_a_form_gives_every_value_of_a_field():
    assert delivery(b"a=1&b=&a=%C3%BC", FORM).form == {"a": ["1", "ü"], "b": [""]}


def test_a_form_of_very_many_fields_cannot_be_read_but_is_no_lie():
    found = delivery(b"&".join(b"a=1" for _ in range(1001)), FORM)
    with pytest.raises(Unreadable, match="more than 1000 fields"):
        _ = found.form
    assert found.check() is None


@pytest.mark.parametrize("body", [b"a=%FF", b"\xff=1"])
def test_a_form_that_is_none_is_a_bad_body(body: bytes):
    with pytest.raises(BadBody, match="is not a form"):
        delivery(body, FORM).check()


def test_multipart_gives_fields_and_leaves_files_out():
    body = (
        b'--X\r\nContent-Disposition: form-data; name="email"\r\n\r\nada@example.com\r\n'
        b'--X\r\nContent-Disposition: form-data; name="photo"; filename="a.png"\r\n\r\n\x89PNG\r\n--X--\r\n'
    )
    assert delivery(body, "multipart/form-data; boundary=X").form == {"email": ["ada@example.com"]}


@pytest.mark.parametrize("content_type", ["multipart/form-data", "multipart/form-data; boundary=" + "x" * 300])
def test_multipart_without_a_usable_boundary_is_a_bad_body(content_type: str):
    with pytest.raises(BadBody, match="not multipart"):
        delivery(b"--X--", content_type).check()


def test_the_last_value_of_a_query_parameter_counts():
    assert Delivery(b"", query="action=a&action=bookingAdded&x=").params == {"action": "bookingAdded", "x": ""}


def test_headers_are_found_whatever_their_case():
    assert delivery(b"", svix_ID="1").headers["SVIX-id"] == "1"


@given(st.binary(max_size=300), st.sampled_from([JSON, FORM, "multipart/form-data; boundary=X", "", "text/html"]))
def test_no_body_breaks_the_check(body: bytes, content_type: str):
    try:
        problem = delivery(body, content_type).check()
    except BadBody as error:
        problem = str(error)
    assert problem is None or problem.startswith("The body is not ")


@given(st.recursive(st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text(), st.lists))
def test_what_json_writes_is_read_back(value: object):
    assert delivery(json.dumps(value).encode()).json == value


@given(st.text(st.characters(codec=None)))
def test_stored_text_has_neither_nul_nor_half_a_character(text: str):
    stored = db_text(text)
    assert "\x00" not in stored
    assert stored.encode().decode() == stored
