from agents_app.models.approvals import Approval
from agents_app.models.assist import AssistAnswer
from agents_app.models.catalog import ApiIntegration, DataTransformation
from agents_app.models.content import ContentItem
from agents_app.models.copies import Copied
from agents_app.models.messages import Notification, NotificationTemplate
from agents_app.models.registry import Agent, CommunicationPattern
from agents_app.models.runs import AgentRun
from agents_app.models.work import Task
from agents_app.models.workflows import UseCase, Workflow, WorkflowInstance, WorkflowTransition

__all__ = [
    "Agent",
    "AgentRun",
    "ApiIntegration",
    "Approval",
    "AssistAnswer",
    "CommunicationPattern",
    "ContentItem",
    "Copied",
    "DataTransformation",
    "Notification",
    "NotificationTemplate",
    "Task",
    "UseCase",
    "Workflow",
    "WorkflowInstance",
    "WorkflowTransition",
]
