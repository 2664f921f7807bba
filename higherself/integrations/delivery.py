"""One HTTP request of a provider, as it came, and careful ways to read it."""

from __future__ import annotations

import json
import math
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from io import BytesIO
from typing import Any
from urllib.parse import parse_qs

from django.conf import settings
from django.core.exceptions import BadRequest, SuspiciousOperation
from django.core.files.uploadhandler import MemoryFileUploadHandler
from django.http.multipartparser import MultiPartParser, MultiPartParserError
from django.utils import timezone
from django.utils.datastructures import CaseInsensitiveMapping

from higherself.core.errors import Permanent

FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"
_MAX_FORM_FIELDS = 1000
_CHARSET = re.compile(r";\s*charset=[\"']?(iso-8859-1|iso-8859-15|windows-1252|utf-16)\b", re.IGNORECASE)


class Unreadable(Permanent):
    """A genuine delivery of a shape that we cannot read."""


class BadBody(Unreadable):
    """The body is not what its content type says."""


class TooLarge(BadBody):
    """The body is over `settings.MAX_BODY_BYTES` once it is unpacked."""


@dataclass(frozen=True)
class Delivery:
    """``body`` is what travelled, byte for byte: signatures are made over it. Everything else is derived from it.

    ``url`` is the address that the sender called (some sign it); ``token`` the secret at the end of its path. Neither
    is stored with the event. ``pulled`` is set on what we have asked for ourselves: the operation that fetched it, or
    "backfill". No sender can set it.
    """

    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    query: str = ""
    token: str = ""
    content_type: str = ""
    method: str = "POST"
    url: str = ""
    pulled: str = ""
    received_at: datetime = field(default_factory=timezone.now)

    def __post_init__(self) -> None:
        object.__setattr__(self, "headers", CaseInsensitiveMapping(self.headers))

    @property
    def media_type(self) -> str:
        return self.content_type.partition(";")[0].strip().lower()

    @property
    def is_json(self) -> bool:
        return self.media_type == "application/json" or self.media_type.endswith("+json")

    @property
    def is_form(self) -> bool:
        return self.media_type in {FORM, MULTIPART}

    @cached_property
    def content(self) -> bytes:
        """The body without its content encoding. Raises `BadBody`, or `TooLarge` before it fills the memory, or
        `Unreadable` for an encoding that is not known here."""
        encoding = self.headers.get("content-encoding", "").strip().lower()
        if encoding in {"", "identity"}:
            return self.body
        if encoding not in {"gzip", "x-gzip"}:
            raise Unreadable(f"The content encoding {encoding[:40]!r} is not known; send gzip or none.")
        return _inflate(self.body)

    @cached_property
    def json(self) -> Any:
        """The body as JSON. Raises `BadBody` where it is none, `Unreadable` where it is nested beyond reading."""
        try:
            return json.loads(
                self.content.decode(self._charset), parse_int=_integer, parse_float=_real, parse_constant=_refuse
            )
        except RecursionError:
            raise Unreadable("The JSON is nested too deeply to be read.") from None
        except ValueError as error:
            raise BadBody(f"The body is not JSON in {self._charset.removesuffix('-sig').upper()}: {error}") from None

    @property
    def _charset(self) -> str:
        """UTF-8, as JSON demands, unless the content type says one of the few others that old senders use."""
        match = _CHARSET.search(self.content_type)
        return match[1].lower() if match else "utf-8-sig"

    @property
    def object(self) -> dict[str, Any]:
        """The body as a JSON object. Raises `Unreadable` for any other shape."""
        if not isinstance(self.json, dict):
            raise Unreadable(f"A JSON object was expected, not {type(self.json).__name__}.")
        return self.json

    @cached_property
    def form(self) -> dict[str, list[str]]:
        """Form fields, each with all its values; uploaded files are left out. Raises `BadBody`, or `Unreadable`
        where there are too many."""
        try:
            if self.media_type == MULTIPART:
                return self._multipart()
            text = self.content.decode("utf-8")
            if text.count("&") >= _MAX_FORM_FIELDS:
                raise Unreadable(f"The form has more than {_MAX_FORM_FIELDS} fields.")
            return parse_qs(text, keep_blank_values=True, errors="strict", max_num_fields=_MAX_FORM_FIELDS)
        except ValueError as error:
            raise BadBody(f"The body is not a form in UTF-8: {error}") from None

    def _multipart(self) -> dict[str, list[str]]:
        meta = {"CONTENT_TYPE": self.content_type, "CONTENT_LENGTH": len(self.content)}
        try:
            fields, _files = MultiPartParser(meta, BytesIO(self.content), [MemoryFileUploadHandler()], "utf-8").parse()
        except (MultiPartParserError, BadRequest, SuspiciousOperation) as error:
            raise BadBody(f"The body is not multipart form data: {error}") from None
        return {name: [str(value) for value in fields.getlist(name)] for name in fields}

    @cached_property
    def params(self) -> dict[str, str]:
        """The query string; of a repeated parameter the last value."""
        return {name: values[-1] for name, values in parse_qs(self.query, keep_blank_values=True).items()}

    @cached_property
    def findings(self) -> dict[str, Any]:
        """What a reader has worked out about the body, by a name of its own, so that it does so once."""
        return {}

    def check(self) -> None:
        """Raises `BadBody` where the body contradicts its content type. Other shapes are the reader's concern."""
        try:
            if self.is_json:
                _ = self.json
            elif self.is_form:
                _ = self.form
            else:
                _ = self.content
        except BadBody:
            raise
        except Unreadable:
            return


def db_text(value: str) -> str:
    """The text as both databases can hold it: no NUL, no half of a surrogate pair."""
    return value.encode("utf-8", "replace").decode().replace("\x00", "�")


def _inflate(body: bytes) -> bytes:
    """Of one member or of several (RFC 1952: a file is a series of members)."""
    limit, content, rest = settings.MAX_BODY_BYTES, b"", body
    while rest or not content:
        unpacker = zlib.decompressobj(16 + zlib.MAX_WBITS)
        try:
            part = unpacker.decompress(rest, limit + 1 - len(content))
        except zlib.error as error:
            raise BadBody(f"The body is not gzip: {error}") from None
        content += part
        if len(content) > limit:
            raise TooLarge(f"The unpacked body is over {limit} bytes.")
        if not unpacker.eof:
            raise BadBody("The body is not gzip: it ends too early.")
        rest = unpacker.unused_data
        if not rest:
            break
    return content


def _integer(digits: str) -> int | str:
    # Python refuses to convert more than 4,300 digits. No field of ours holds such a number: its digits are kept.
    return int(digits) if len(digits) <= 4000 else digits


def _real(text: str) -> float | str:
    value = float(text)
    return value if math.isfinite(value) else text


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")
