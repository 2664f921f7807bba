"""Notion's error answers: statuses, codes and texts (Notion: reference/status-codes)."""

from __future__ import annotations

import json
from typing import Any

TRASHED = "Can't edit block that is archived. You must unarchive the block before editing."
TRASHED_ANCESTOR = (
    "Can't edit page on block with an archived ancestor. You must unarchive the ancestor before editing page."
)


class ApiError(Exception):
    """An answer other than 2xx, raised by whoever finds the reason for it."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        additional_data: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.additional_data = additional_data
        self.headers = headers or {}

    def body(self, request_id: str) -> dict[str, Any]:
        body: dict[str, Any] = {
            "object": "error",
            "status": self.status,
            "code": self.code,
            "message": self.message,
        }
        if self.additional_data is not None:
            body["additional_data"] = self.additional_data
        body["request_id"] = request_id
        return body


def js(value: Any, limit: int = 200) -> str:
    """The value as the API quotes it in a message."""
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":"))
    return text if len(text) <= limit else text[:limit] + "..."


def validation(message: str) -> ApiError:
    return ApiError(400, "validation_error", message)


def invalid(path: str, should: str, value: Any, *, missing: bool = False) -> ApiError:
    """`body.x should be a string, instead was `1`.` with the part of the request in front."""
    part = path.split(".", 1)[0].split("[", 1)[0]
    shown = "undefined" if missing else js(value)
    return validation(f"{part} failed validation: {path} should be {should}, instead was `{shown}`.")


def not_present(path: str, value: Any) -> ApiError:
    return invalid(path, "not present", value)


def not_found(kind: str, object_id: str, bot: dict[str, Any]) -> ApiError:
    """`bot` is the integration's user: its name stands in the text, its id in additional_data."""
    return ApiError(
        404,
        "object_not_found",
        f"Could not find {kind} with ID: {object_id}. Make sure the relevant pages and databases "
        f'are shared with your integration "{bot["name"]}".',
        {"integration_id": bot["id"]},
    )


def trashed() -> ApiError:
    return validation(TRASHED)


def trashed_ancestor() -> ApiError:
    return validation(TRASHED_ANCESTOR)
