"""Small checks of request values; each raises Notion's 400 with the path of the offending value."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from .errors import invalid, not_present, validation


def utf16_length(text: str) -> int:
    """Notion counts UTF-16 units, as JavaScript does: an emoji counts two."""
    return len(text) + sum(1 for char in text if ord(char) > 0xFFFF)


def an_object(value: Any, path: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise invalid(path, "an object", value)
    return value


def an_array(value: Any, path: str, limit: int | None = None) -> list[Any]:
    if not isinstance(value, list):
        raise invalid(path, "an array", value)
    if limit is not None and len(value) > limit:
        raise invalid(f"{path}.length", f"≤ `{limit}`", len(value))
    return value


def a_string(value: Any, path: str, limit: int | None = None) -> str:
    if not isinstance(value, str):
        raise invalid(path, "a string", value)
    if limit is not None and (length := utf16_length(value)) > limit:
        raise invalid(f"{path}.length", f"≤ `{limit}`", length)
    return value


def a_filled_string(value: Any, path: str, limit: int | None = None) -> str:
    text = a_string(value, path, limit)
    if not text:
        raise invalid(f"{path}.length", "≥ `1`", 0)
    return text


def a_boolean(value: Any, path: str) -> bool:
    if not isinstance(value, bool):
        raise invalid(path, "a boolean", value)
    return value


def a_number(value: Any, path: str) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise invalid(path, "a number", value)
    return value


def one_of(value: Any, allowed: Collection[str], path: str) -> str:
    if not isinstance(value, str) or value not in allowed:
        names = ", ".join(f'`"{name}"`' for name in allowed)
        raise invalid(path, names, value)
    return value


def only_keys(body: dict[str, Any], allowed: Collection[str], path: str) -> None:
    for key in body:
        if key not in allowed:
            raise not_present(f"{path}.{key}", body[key])


def required(body: dict[str, Any], key: str, path: str) -> Any:
    if key not in body:
        raise invalid(f"{path}.{key}", "defined", None, missing=True)
    return body[key]


def page_size(value: Any, path: str) -> int:
    """1 to 100; a query string brings text, or None where it has none."""
    in_query = path.startswith("query.")
    if value is None and in_query:
        return 100
    if isinstance(value, str) and in_query:
        if not value.isdigit():
            raise invalid(path, "a number", value)
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise invalid(path, "a number", value)
    if value > 100:
        raise invalid(path, "≤ `100`", value)
    if value < 1:
        raise invalid(path, "≥ `1`", value)
    return value


def no_unstorable_text(value: Any, path: str = "body") -> None:
    """NUL and halves of surrogate pairs cannot be stored; anywhere in the body they fail it."""
    if isinstance(value, str):
        if "\0" in value or any(0xD800 <= ord(char) <= 0xDFFF for char in value):
            raise validation(f"body failed validation: {path} should be a string of valid Unicode.")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            no_unstorable_text(item, f"{path}[{index}]")
    elif isinstance(value, dict):
        for key, item in value.items():
            no_unstorable_text(key, path)
            no_unstorable_text(item, f"{path}.{key}")
