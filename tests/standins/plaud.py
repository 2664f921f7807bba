"""Plaud's two interfaces, as far as they are called: the partners', and that behind Plaud's MCP and CLI."""

from __future__ import annotations

from typing import Any

from tests.standins.server import Case, Reply, Request, Service, route

ACCESS_TOKEN = "plaud-standin-access-token-0123"


def _done(service: Plaud) -> None:
    service.transcriptions["task_exec_1"] = {
        "transcription_id": "task_exec_1",
        "status": "SUCCESS",
        "data": {"text": "Meeting started at 10am.", "language": "en", "duration": 1843, "segments": []},
    }


class Plaud(Service):
    slug = "plaud"
    options = {"client_id": "plaud-standin-id-0123456789", "client_secret": "plaud-standin-secret-0123456789"}
    cases = (
        Case("transcript.read", {"transcription_id": "task_exec_1", "file_id": "f1"}, _done),
        Case("transcript.read", {"transcription_id": "task_exec_gone"}),
    )

    def __init__(self) -> None:
        super().__init__()
        self.transcriptions: dict[str, dict[str, Any]] = {}
        self.files: list[dict[str, Any]] = []

    def authorised(self, request: Request) -> bool:
        if request.path.startswith("/oauth/partner/"):
            return request.basic == tuple(self.options.values())
        if request.path.startswith("/open/third-party/"):
            return request.bearer == ACCESS_TOKEN
        return (request.headers.get("x-client-id"), request.headers.get("x-client-api-key")) == tuple(
            self.options.values()
        )

    def snapshot(self) -> Any:
        return self.transcriptions

    @route("POST", "/oauth/partner/access-token")
    def token(self, request: Request) -> Reply:
        return Reply(200, {"access_token": "t", "refresh_token": "r", "token_type": "Bearer", "expires_in": 3600})

    @route("GET", r"/open/partner/ai/transcriptions/(\w+)")
    def transcription(self, request: Request, name: str) -> Reply:
        found = self.transcriptions.get(name)
        return Reply(200, found) if found else Reply(404, {"message": "not found"})

    @route("GET", "/open/third-party/users/current")
    def me(self, request: Request) -> Reply:
        return Reply(200, {"data": {"id": "user"}})

    @route("GET", "/open/third-party/files/")
    def list_files(self, request: Request) -> Reply:
        page, size = int(request.query["page"]), int(request.query["page_size"])
        names = ("id", "name", "created_at", "start_at", "duration")
        rows = [{name: item.get(name) for name in names} for item in self.files[(page - 1) * size : page * size]]
        return Reply(200, {"data": rows})

    @route("GET", r"/open/third-party/files/([\w-]+)")
    def read_file(self, request: Request, name: str) -> Reply:
        found = next((item for item in self.files if item["id"] == name), None)
        return Reply(200, found) if found else Reply(404, {"message": "not found"})
