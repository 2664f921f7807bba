"""Rich text: checked as it comes in, kept small, shown in full (Notion: reference/rich-text).

A stored text is a `str` when it is one unformatted run, else a list of shown items.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from . import checks, dates
from .errors import invalid
from .ids import parse_uuid

MAX_CONTENT = 2000
MAX_ITEMS = 100
COLORS = ("default", "gray", "brown", "orange", "yellow", "green", "blue", "purple", "pink", "red")
_TEXT_COLORS = COLORS + tuple(f"{color}_background" for color in COLORS)
_FLAGS = ("bold", "italic", "strikethrough", "underline", "code")
_PLAIN = {**dict.fromkeys(_FLAGS, False), "color": "default"}
_ITEM_KEYS = ("type", "text", "mention", "equation", "annotations", "plain_text", "href")


def parse(value: Any, path: str) -> Any:
    """The stored form of a request's rich text array."""
    items = checks.an_array(value, path, MAX_ITEMS)
    shown = [_item(item, f"{path}[{index}]") for index, item in enumerate(items)]
    return _compact(_merge([item for item in shown if item["plain_text"] != ""]))


def show(stored: Any) -> list[dict[str, Any]]:
    """The array as the API answers it."""
    if isinstance(stored, str):
        return [_text_item(stored, None, _PLAIN)] if stored else []
    return list(stored)


def plain(stored: Any) -> str:
    if isinstance(stored, str):
        return stored
    return "".join(item["plain_text"] for item in stored)


def _item(item: Any, path: str) -> dict[str, Any]:
    item = checks.an_object(item, path)
    checks.only_keys(item, _ITEM_KEYS, path)
    kinds = [kind for kind in ("text", "mention", "equation") if kind in item]
    if len(kinds) != 1 or item.get("type", kinds[0]) != kinds[0]:
        raise invalid(f"{path}.{item.get('type') or 'text'}", "defined", None, missing=True)
    annotations = _annotations(item.get("annotations"), f"{path}.annotations")
    return _BUILDERS[kinds[0]](item[kinds[0]], f"{path}.{kinds[0]}", annotations)


def _text(text: Any, path: str, annotations: dict[str, Any]) -> dict[str, Any]:
    text = checks.an_object(text, path)
    checks.only_keys(text, ("content", "link"), path)
    content = checks.required(text, "content", path)
    checks.a_string(content, f"{path}.content", MAX_CONTENT)
    return _text_item(content, _link(text.get("link"), f"{path}.link"), annotations)


def _text_item(content: str, link: Any, annotations: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "text",
        "text": {"content": content, "link": link},
        "annotations": annotations,
        "plain_text": content,
        "href": link["url"] if link else None,
    }


def _link(link: Any, path: str) -> dict[str, str] | None:
    if link is None:
        return None
    link = checks.an_object(link, path)
    checks.only_keys(link, ("url", "type"), path)
    url = checks.a_string(checks.required(link, "url", path), f"{path}.url", 2000)
    if not url:
        return None
    parts = urlsplit(url)
    bare_host = parts.scheme in ("http", "https") and not parts.path and not parts.query
    return {"url": f"{url}/" if bare_host and not parts.fragment else url}


def _equation(equation: Any, path: str, annotations: dict[str, Any]) -> dict[str, Any]:
    equation = checks.an_object(equation, path)
    checks.only_keys(equation, ("expression",), path)
    text = checks.required(equation, "expression", path)
    checks.a_string(text, f"{path}.expression", 1000)
    return {
        "type": "equation",
        "equation": {"expression": text},
        "annotations": annotations,
        "plain_text": text,
        "href": None,
    }


def _mention(mention: Any, path: str, annotations: dict[str, Any]) -> dict[str, Any]:
    mention = checks.an_object(mention, path)
    kind = next((k for k in ("page", "user", "database", "date") if k in mention), None)
    if kind is None:
        raise invalid(f"{path}.type", '`"page"`, `"user"`, `"database"`, `"date"`', mention)
    target = checks.an_object(mention[kind], f"{path}.{kind}")
    if kind == "date":
        target = dates.show(dates.parse(target, f"{path}.{kind}")) or {}
        shown, url = " → ".join(filter(None, (target["start"], target["end"]))), None
    else:
        target = {"id": parse_uuid(target.get("id"), f"{path}.{kind}.id")}
        url = f"https://app.notion.com/p/{target['id'].replace('-', '')}"
        shown = "@Mention" if kind == "user" else "Untitled"
    return {
        "type": "mention",
        "mention": {"type": kind, kind: target},
        "annotations": annotations,
        "plain_text": shown,
        "href": None if kind in ("user", "date") else url,
    }


_BUILDERS = {"text": _text, "equation": _equation, "mention": _mention}


def _annotations(value: Any, path: str) -> dict[str, Any]:
    if value is None:
        return _PLAIN
    value = checks.an_object(value, path)
    checks.only_keys(value, (*_FLAGS, "color"), path)
    for flag in _FLAGS:
        if flag in value:
            checks.a_boolean(value[flag], f"{path}.{flag}")
    if "color" in value:
        checks.one_of(value["color"], _TEXT_COLORS, f"{path}.color")
    return {**_PLAIN, **value}


def _merge(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Neighbouring text runs that look the same come back as one."""
    merged: list[dict[str, Any]] = []
    for item in items:
        last = merged[-1] if merged else None
        if last is not None and _same_look(last, item):
            merged[-1] = _text_item(last["plain_text"] + item["plain_text"], item["text"]["link"], item["annotations"])
        else:
            merged.append(item)
    return merged


def _same_look(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return bool(
        one["type"] == other["type"] == "text"
        and one["annotations"] == other["annotations"]
        and one["text"]["link"] == other["text"]["link"]
    )


def _compact(items: list[dict[str, Any]]) -> Any:
    if not items:
        return ""
    only = items[0]
    if len(items) == 1 and only["type"] == "text" and only["annotations"] == _PLAIN and not only["href"]:
        return only["plain_text"]
    return items
