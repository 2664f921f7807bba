"""UserFeedback's REST API on a WordPress site, as far as it is called. Ids come as texts, as from MySQL."""

from __future__ import annotations

from typing import Any

from tests.standins.server import Reply, Request, Service, route

API = "/wp-json/userfeedback/v1"


class UserFeedback(Service):
    slug = "userfeedback"
    options = {"username": "hub", "application_password": "abcd efgh ijkl mnop qrst uvwx"}

    def __init__(self) -> None:
        super().__init__()
        self.surveys: dict[int, dict[str, Any]] = {}
        self.responses: dict[int, list[dict[str, Any]]] = {}

    def authorised(self, request: Request) -> bool:
        return request.basic == (self.options["username"], self.options["application_password"])

    def unauthorised(self) -> Reply:
        words = "Sorry, you are not allowed to do that."
        return Reply(401, {"code": "rest_forbidden", "message": words, "data": {"status": 401}})

    def snapshot(self) -> Any:
        return {"surveys": self.surveys, "responses": self.responses}

    def survey(self, number: int, title: str) -> None:
        questions = [{"id": "q-1", "title": "How was it?", "type": "nps"}, {"id": "q-3", "title": "Your e-mail"}]
        self.surveys[number] = {"id": str(number), "title": title, "questions": questions}
        self.responses[number] = []

    def respond(self, survey: int, number: int, value: Any) -> None:
        answers = [{"question_id": "q-1", "value": value}, {"question_id": "q-3", "value": f"p{number}@example.com"}]
        page = {"id": 77, "name": "Home", "link": "https://site.example/", "title": "Home"}
        row = {"id": str(number), "survey_id": str(survey), "answers": answers, "page_submitted": page}
        self.responses[survey].insert(0, {**row, "status": "publish", "submitted_at": "2026-03-12 10:11:12"})

    def _page(self, request: Request, rows: list[Any]) -> Reply:
        page, size = int(request.query["page"]), int(request.query["per_page"])
        shown = rows[(page - 1) * size : page * size]
        return Reply(200, {"items": shown, "pagination": {"total": len(rows), "page": page, "per_page": size}})

    @route("GET", f"{API}/surveys")
    def list_surveys(self, request: Request) -> Reply:
        return self._page(request, [{"id": row["id"], "title": row["title"]} for row in self.surveys.values()])

    @route("GET", rf"{API}/surveys/(\d+)")
    def read_survey(self, request: Request, number: str) -> Reply:
        return Reply(200, self.surveys[int(number)])

    @route("GET", rf"{API}/surveys/(\d+)/responses")
    def list_responses(self, request: Request, number: str) -> Reply:
        return self._page(request, self.responses[int(number)])
