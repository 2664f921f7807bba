"""Rows for tests: each function makes one saved row with sensible values; keyword arguments override them.

Many-to-many fields take a list: ``make_contact(business_entities=[entity])``.
"""

from __future__ import annotations

from itertools import count
from typing import Any, TypeVar

from django.db import models

from agents_app.models import (
    Agent,
    AgentRun,
    ApiIntegration,
    Approval,
    AssistAnswer,
    CommunicationPattern,
    ContentItem,
    DataTransformation,
    Notification,
    NotificationTemplate,
    Task,
    UseCase,
    Workflow,
    WorkflowInstance,
    WorkflowTransition,
)
from bookings.models import Booking, Order, OrderLine, Product
from campaigns.models import Campaign, Feedback, Segment
from community.models import Member, Reward
from contacts.models import BusinessEntity, Contact

_M = TypeVar("_M", bound=models.Model)
_numbers = count(1)


def _make(model: type[_M], given: dict[str, Any], **defaults: Any) -> _M:
    values = {**defaults, **given}
    many = {field.name: values.pop(field.name) for field in model._meta.many_to_many if field.name in values}
    row = model._default_manager.create(**values)
    for name, related in many.items():
        getattr(row, name).set(related)
    return row


def make_business_entity(**given: Any) -> BusinessEntity:
    return _make(BusinessEntity, given, name=f"Entity {next(_numbers)}", integration_status="Active")


def make_contact(**given: Any) -> Contact:
    number = next(_numbers)
    names = {"first_name": "Jane", "last_name": f"Doe {number}", "email": f"jane.doe{number}@example.org"}
    return _make(Contact, given, **names)


def make_product(**given: Any) -> Product:
    return _make(Product, given, name=f"Product {next(_numbers)}", type="Service")


def make_booking(**given: Any) -> Booking:
    number = next(_numbers)
    return _make(Booking, given, system="Amelia", external_id=f"booking-{number}", kind="appointment")


def make_order(**given: Any) -> Order:
    number = next(_numbers)
    return _make(Order, given, system="WooCommerce", external_id=f"order-{number}", number=str(number))


def make_order_line(**given: Any) -> OrderLine:
    if "order" not in given:
        given["order"] = make_order()
    return _make(OrderLine, given, external_id=f"line-{next(_numbers)}", name="Print", quantity=1)


def make_campaign(**given: Any) -> Campaign:
    return _make(Campaign, given, campaign_name=f"Campaign {next(_numbers)}")


def make_segment(**given: Any) -> Segment:
    everyone = {"match": "all", "rules": [{"field": "email", "operator": "exists"}]}
    return _make(Segment, given, name=f"segment_{next(_numbers)}", criteria=everyone)


def make_content(**given: Any) -> ContentItem:
    if "instance" not in given:
        given["instance"] = make_instance()
    return _make(ContentItem, given, title=f"Content {next(_numbers)}", draft="Breathe in.")


def make_feedback(**given: Any) -> Feedback:
    return _make(Feedback, given, feedback_title=f"Feedback {next(_numbers)}")


def make_member(**given: Any) -> Member:
    number = next(_numbers)
    return _make(Member, given, member_name=f"Member {number}", member_email=f"member{number}@example.org")


def make_reward(**given: Any) -> Reward:
    return _make(Reward, given, reward_name=f"Reward {next(_numbers)}")


def make_agent(**given: Any) -> Agent:
    number = next(_numbers)
    return _make(Agent, given, agent_name=f"Agent {number}", agent_id=f"Agent{number}")


def make_pattern(**given: Any) -> CommunicationPattern:
    return _make(CommunicationPattern, given, pattern_name=f"Pattern {next(_numbers)}")


def make_workflow(**given: Any) -> Workflow:
    number = next(_numbers)
    return _make(Workflow, given, workflow_name=f"Workflow {number}", workflow_id=f"WF-{number}", status="Active")


def make_instance(**given: Any) -> WorkflowInstance:
    if "workflow" not in given:
        given["workflow"] = make_workflow()
    return _make(WorkflowInstance, given, instance_name=f"Instance {next(_numbers)}")


def make_transition(**given: Any) -> WorkflowTransition:
    if "instance" not in given:
        given["instance"] = make_instance()
    return _make(WorkflowTransition, given, actor="Tests", event="started", to_state="begun")


def make_use_case(**given: Any) -> UseCase:
    return _make(UseCase, given, use_case_title=f"Use case {next(_numbers)}")


def make_task(**given: Any) -> Task:
    return _make(Task, given, task_name=f"Task {next(_numbers)}")


def make_integration(**given: Any) -> ApiIntegration:
    return _make(ApiIntegration, given, integration_name=f"Integration {next(_numbers)}")


def make_transformation(**given: Any) -> DataTransformation:
    return _make(DataTransformation, given, transformation_name=f"Transformation {next(_numbers)}")


def make_template(**given: Any) -> NotificationTemplate:
    number = next(_numbers)
    return _make(NotificationTemplate, given, template_name=f"Template {number}", status="Active")


def make_notification(**given: Any) -> Notification:
    number = next(_numbers)
    defaults = {"key": f"notification-{number}", "channel": "Email", "recipient": "team@example.org"}
    return _make(Notification, given, **defaults, subject=f"Subject {number}", body="Body")


def make_agent_run(**given: Any) -> AgentRun:
    return _make(AgentRun, given, agent_id="LeadCaptureAgent", event_kind="lead.submitted", outcome="done")


def make_approval(**given: Any) -> Approval:
    number = next(_numbers)
    defaults = {"key": f"approval-{number}", "subject_model": "contacts.contact", "requested_by": "LeadCaptureAgent"}
    return _make(Approval, given, action="records.archive", subject_label=f"Subject {number}", **defaults)


def make_assist_answer(**given: Any) -> AssistAnswer:
    number = next(_numbers)
    defaults = {"kind": "lead.summary", "subject_model": "agents_app.workflowinstance", "subject_id": number}
    return _make(AssistAnswer, given, requested_by="Grace", subject_label=f"Subject {number}", **defaults)


# The sixteen mirrored models, by the key of their database.
MAKERS = {
    "business_entities": make_business_entity,
    "contacts_profiles": make_contact,
    "community_hub": make_member,
    "products_services": make_product,
    "active_workflow_instances": make_instance,
    "marketing_campaigns": make_campaign,
    "feedback_surveys": make_feedback,
    "rewards_bounties": make_reward,
    "master_tasks": make_task,
    "agent_communication": make_pattern,
    "agent_registry": make_agent,
    "api_integrations": make_integration,
    "data_transformations": make_transformation,
    "notifications_templates": make_template,
    "use_cases": make_use_case,
    "workflows_library": make_workflow,
}
