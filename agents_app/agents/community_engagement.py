"""Flow 6: members of the community, students, and what people think of us."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict

from agents_app.agents.base import MADE, BaseAgent, Context, Outcome, RecordEdited, Result, WorkKind
from agents_app.community import by_hand, courses, members, rewards, surveys, watch
from higherself.integrations.events import EventKind
from higherself.integrations.material import CommunityMaterial, LearningMaterial, MemberMaterial, SurveyMaterial


class CommunityDay(BaseModel):
    """Once a day: what time alone has changed."""

    model_config = ConfigDict(frozen=True)


_NUDGES = (
    *(EventKind.MEMBER_JOINED, EventKind.MEMBER_CHANGED, EventKind.MEMBER_LEFT, EventKind.MEMBER_ACTIVITY),
    *(EventKind.MEMBER_PURCHASED, EventKind.COMMUNITY_EVENT_CHANGED),
)
_COURSES = (
    *(EventKind.COURSE_ENROLLED, EventKind.COURSE_COMPLETED, EventKind.COURSE_LEFT),
    *(EventKind.LESSON_COMPLETED, EventKind.QUIZ_FINISHED),
)


class CommunityEngagementAgent(BaseAgent):
    name = "Community Engagement Agent"
    description = "Welcomes members, counts what they do, notices silence, rewards, and takes feedback in."
    capabilities = ("Community Engagement", "Client Communication", "Notification Dispatch", "Workflow Management")
    apis = ("NOTION_API", "CIRCLE_API", "TUTORLM_API", "USERFEEDBACK_API")
    consumes = {
        **dict.fromkeys(_NUDGES, CommunityMaterial),
        EventKind.MEMBER_READ: MemberMaterial,
        **dict.fromkeys(_COURSES, LearningMaterial),
        EventKind.SURVEY_ANSWERED: SurveyMaterial,
        WorkKind.SURVEY_RECEIVED: SurveyMaterial,
        WorkKind.COMMUNITY_DAY: CommunityDay,
        WorkKind.RECORD_EDITED: RecordEdited,
    }
    watches = {
        "contacts.contact": ("status", "email"),
        "community.member": (MADE, "membership_status"),
        "campaigns.feedback": (MADE, "rating", "sentiment", "response"),
        "community.reward": (MADE, "status", "end_date"),
    }
    emits = {"WF-COMMUNITY": ("activity", "champion", "score_fell", "member_removed")}

    def handle(self, data: Any, context: Context) -> Outcome:
        if isinstance(data, RecordEdited):
            return by_hand.heed(data, context)
        if isinstance(data, LearningMaterial):
            return courses.hear(data, context)
        if isinstance(data, SurveyMaterial):
            return surveys.hear(data, context)
        if isinstance(data, CommunityDay):
            return _day(context)
        if context.kind == EventKind.COMMUNITY_EVENT_CHANGED:
            return members.event_announced(data, context)
        return members.hear(data, context)


def _day(context: Context) -> Outcome:
    scores, closed = watch.scores(context), rewards.expire(context.now)
    result = Result.DONE if scores or closed else Result.NOTHING
    return Outcome(result, f"{scores} members' scores have changed with time; {closed} reward programmes have ended.")
