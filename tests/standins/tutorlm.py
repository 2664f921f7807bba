"""Tutor LMS' REST API, as far as it is called."""

from __future__ import annotations

from typing import Any

from tests.standins.server import Case, Reply, Request, Service, route

API = "/wp-json/tutor/v1"


def _enrolled(service: TutorLM) -> None:
    service.enrol(225, 4505)


class TutorLM(Service):
    slug = "tutorlm"
    options = {
        "api_key": "key_standin0123456789",
        "api_secret": "secret_standin0123456789",
        "username": "lister",
        "application_password": "abcd efgh ijkl standin tutor",
    }
    cases = (
        Case("enrolment.create", {"user_id": "225", "course_id": "4505"}),
        Case("enrolment.create", {"user_id": "225", "course_id": "4505", "status": "completed"}, _enrolled),
        Case("enrolment.create", {"email": "Jane@example.com", "course_id": "4505", "status": "completed"}),
    )

    def __init__(self) -> None:
        super().__init__()
        self.enrolments: dict[int, dict[str, Any]] = {}
        self.courses = [4505, 4506]
        self.users = {225: "jane@example.com", 226: "jane@example.com.au"}

    def authorised(self, request: Request) -> bool:
        if request.path.startswith("/wp-json/wp/"):
            return request.basic == (self.options["username"], self.options["application_password"])
        return request.basic == (self.options["api_key"], self.options["api_secret"])

    def unauthorised(self) -> Reply:
        words = "Sorry, you are not allowed to do that."
        return Reply(401, {"code": "rest_forbidden", "message": words, "data": {"status": 401}})

    def snapshot(self) -> Any:
        return self.enrolments

    def enrol(self, user: int, course: int) -> int:
        """The id of the enrolment, which is there already for whoever is enrolled."""
        same = (key for key, row in self.enrolments.items() if (row["user"], row["course"]) == (user, course))
        found = next(same, 0) or 4557 + self.next_id() - 1000
        self.enrolments.setdefault(found, {"user": user, "course": course, "status": "pending"})
        return found

    @route("GET", f"{API}/courses")
    def list_courses(self, request: Request) -> Reply:
        page = int(request.query["paged"])
        posts = [{"ID": course} for course in self.courses[page - 1 : page]]
        data = {"posts": posts, "total_course": len(self.courses), "total_page": len(self.courses)}
        return Reply(200, {"code": "success", "message": "Courses", "data": data})

    @route("GET", "/wp-json/wp/v2/users")
    def list_users(self, request: Request) -> Reply:
        """WordPress finds what the words stand in, not only what equals them."""
        words = request.query["search"].lower()
        rows = [{"id": key, "email": email, "roles": ["student"]} for key, email in sorted(self.users.items())]
        found = [row for row in rows if words in row["email"]][::-1]
        return Reply(200, found if request.query["context"] == "edit" else [{"id": row["id"]} for row in found])

    @route("POST", f"{API}/enrollments")
    def create(self, request: Request) -> Reply:
        body = request.json
        if body["course_id"] not in self.courses:
            details = {"course_id": ["Course ID is invalid"]}
            data = {"status": 400, "details": details}
            return Reply(400, {"code": "tutor_create_enrollment", "message": "Enrollment create failed", "data": data})
        data = {"enrollment_id": self.enrol(body["user_id"], body["course_id"])}
        return Reply(200, {"code": "tutor_create_enrollment", "message": "User enrolled successfully", "data": data})

    @route("PUT", rf"{API}/enrollments/(\w+)")
    def change(self, request: Request, status: str) -> Reply:
        self.enrolments[request.json["enrollment_id"]]["status"] = status
        return Reply(200, {"code": "tutor_update_enrollment", "message": "ok", "data": {}})

    @route("GET", f"{API}/enrollments")
    def list_enrolments(self, request: Request) -> Reply:
        course = int(request.query["course_id"])
        rows = [
            {
                "enrol_id": str(key),
                "student_id": str(row["user"]),
                "enrol_date": "2026-11-20 12:00:00",
                "status": "completed",
                "course_id": str(row["course"]),
                "course_title": "Mastering Workplace Communication",
                "user_email": "jane@example.com",
                "display_name": "Jane Doe",
            }
            for key, row in self.enrolments.items()
            if row["course"] == course
        ][:10]
        if not rows:
            words = "No enrollments found under this course"
            return Reply(400, {"code": "tutor_read_enrollment", "message": words, "data": {"status": 400}})
        return Reply(200, {"code": "tutor_read_enrollment", "message": "Enrolled user list", "data": rows})
