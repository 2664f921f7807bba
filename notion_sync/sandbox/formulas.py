"""Formulas: the expression is checked; simple ones (literals, properties, + - * /) are computed."""

from __future__ import annotations

import re
from typing import Any

from . import checks
from .errors import validation

_PROP = re.compile(r'prop\(\s*"((?:[^"\\]|\\.)*)"\s*\)')
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
_TOKEN = re.compile(r'\s*(?:(\d+(?:\.\d+)?)|("(?:[^"\\]|\\.)*")|\x00(\d+)\x00|(true|false)\b|([-+*/()]))')


def check(expression: Any, names: set[str], path: str) -> str:
    """A filled string with balanced parentheses whose `prop("X")` all exist."""
    text = checks.a_filled_string(expression, path)
    for name in _PROP.findall(text):
        if name.replace('\\"', '"') not in names:
            raise validation(f'Formula has undefined property "{name}": {path} cannot be saved.')
    depth = 0
    bare = _STRING.sub("", text)
    for char in bare:
        depth += {"(": 1, ")": -1}.get(char, 0)
        if depth < 0:
            break
    if depth or '"' in bare:
        raise validation(f"Type error with formula: unbalanced parentheses or quotes in {path}.")
    return text


def names_to_ids(expression: str, ids: dict[str, str]) -> str:
    """Kept by id, so that a renamed property does not break the formula."""
    return _PROP.sub(lambda m: f'prop("{ids.get(m.group(1), m.group(1))}")', expression)


def ids_to_names(expression: str, names: dict[str, str]) -> str:
    return _PROP.sub(lambda m: f'prop("{names.get(m.group(1), m.group(1))}")', expression)


def evaluate(expression: str, values: dict[str, Any]) -> dict[str, Any]:
    """The formula value. What the evaluator does not know comes back as an empty string value."""
    found: list[Any] = []

    def keep(match: re.Match[str]) -> str:
        found.append(values.get(match.group(1)))
        return f"\x00{len(found) - 1}\x00"

    tokens = _tokens(_PROP.sub(keep, expression), found)
    result: Any = None
    if tokens is not None:
        try:
            result = _Parser(tokens).whole()
        except (_Unknown, ZeroDivisionError):
            result = None
    return _typed(result)


def _typed(result: Any) -> dict[str, Any]:
    if isinstance(result, bool):
        return {"type": "boolean", "boolean": result}
    if isinstance(result, int | float):
        number = int(result) if float(result).is_integer() else result
        return {"type": "number", "number": number}
    return {"type": "string", "string": result}


class _Unknown(Exception):
    """The expression goes beyond what is computed here."""


def _tokens(text: str, found: list[Any]) -> list[Any] | None:
    tokens: list[Any] = []
    position = 0
    text = text.strip()
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            return None
        number, string, index, boolean, sign = match.groups()
        if number is not None:
            tokens.append(("value", float(number)))
        elif string is not None:
            tokens.append(("value", string[1:-1].replace('\\"', '"')))
        elif index is not None:
            tokens.append(("value", found[int(index)]))
        elif boolean is not None:
            tokens.append(("value", boolean == "true"))
        else:
            tokens.append(("sign", sign))
        position = match.end()
    return tokens


class _Parser:
    def __init__(self, tokens: list[Any]) -> None:
        self._tokens = tokens
        self._at = 0

    def whole(self) -> Any:
        value = self._sum()
        if self._at != len(self._tokens):
            raise _Unknown
        return value

    def _sign(self, signs: str) -> str | None:
        if self._at < len(self._tokens):
            kind, text = self._tokens[self._at]
            if kind == "sign" and text in signs:
                self._at += 1
                return str(text)
        return None

    def _sum(self) -> Any:
        value = self._product()
        while (sign := self._sign("+-")) is not None:
            value = _combine(sign, value, self._product())
        return value

    def _product(self) -> Any:
        value = self._factor()
        while (sign := self._sign("*/")) is not None:
            value = _combine(sign, value, self._factor())
        return value

    def _factor(self) -> Any:
        if self._sign("-"):
            return _combine("-", 0, self._factor())
        if self._sign("("):
            value = self._sum()
            if not self._sign(")"):
                raise _Unknown
            return value
        if self._at >= len(self._tokens) or self._tokens[self._at][0] != "value":
            raise _Unknown
        self._at += 1
        return self._tokens[self._at - 1][1]


def _combine(sign: str, one: Any, other: Any) -> Any:
    if sign == "+" and (isinstance(one, str) or isinstance(other, str)):
        return _as_text(one) + _as_text(other)
    if one is None or other is None:
        return None
    if isinstance(one, str) or isinstance(other, str):
        raise _Unknown
    if sign == "/":
        return one / other
    return {"+": one + other, "-": one - other, "*": one * other}[sign]


def _as_text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
