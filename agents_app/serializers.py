"""The shapes in which the API shows workflow instances and inbound events."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from agents_app.models import Approval, Task, WorkflowInstance, WorkflowTransition
from agents_app.workflow import engine
from agents_app.workflow.machine import STATUS_ACTIONS
from higherself.core.errors import Permanent
from higherself.integrations.models import InboundEvent


class AllowedSerializer(serializers.Serializer):
    event = serializers.CharField(help_text="What to send to move the instance.")
    to = serializers.CharField(help_text="The state that it leads to; hold, resume and retry leave the state.")
    label = serializers.CharField()  # type: ignore[assignment]
    approval = serializers.CharField(help_text="What a person has to allow first; empty where nobody has to.")


class ApprovalSerializer(serializers.ModelSerializer):
    class Meta:
        model = Approval
        fields = ("approval_id", "action", "status", "requested_by", "reason", "decided_by", "outcome", "created_at")


class HistorySerializer(serializers.ModelSerializer):
    time = serializers.DateTimeField(source="at")

    class Meta:
        model = WorkflowTransition
        fields = ("time", "actor", "event", "note")

    def get_fields(self) -> dict[str, Any]:
        # "from" is a word of Python's and cannot be a class attribute.
        states = {"from": "from_state", "to": "to_state"}
        return super().get_fields() | {name: serializers.CharField(source=field) for name, field in states.items()}


class TaskSerializer(serializers.ModelSerializer):
    name = serializers.CharField(source="task_name")
    assignee = serializers.CharField(source="assignee_text")

    class Meta:
        model = Task
        fields = ("task_id", "name", "status", "priority", "due_date", "completed_date", "assignee")


class ContactSerializer(serializers.Serializer):
    contact_id = serializers.CharField()
    name = serializers.CharField(source="full_name")
    email = serializers.CharField()


class SummarySerializer(serializers.ModelSerializer):
    """What a list shows of an instance. The context holds ``notion_urls`` by primary key."""

    name = serializers.CharField(source="instance_name")
    workflow = serializers.CharField(source="workflow.workflow_id", default="")
    workflow_name = serializers.CharField(source="workflow.workflow_name", default="")
    version = serializers.CharField(source="workflow.version", default="")
    contact = ContactSerializer(allow_null=True)
    business_entity = serializers.CharField(source="business_entity.entity_key", default="")
    notion_url = serializers.SerializerMethodField(help_text="Empty until the page exists in Notion.")

    class Meta:
        model = WorkflowInstance
        fields: tuple[str, ...] = (
            "instance_id",
            "name",
            "workflow",
            "workflow_name",
            "version",
            "current_state",
            "status",
            "priority",
            "contact",
            "business_entity",
            "source_system",
            "start_date",
            "last_transition_date",
            "end_date",
            "updated_at",
            "error_message",
            "notion_url",
        )

    def get_notion_url(self, instance: WorkflowInstance) -> str:
        return self.context["notion_urls"].get(instance.pk, "")


class InstanceSerializer(SummarySerializer):
    """Everything about one instance."""

    allowed_transitions = serializers.SerializerMethodField()
    history = HistorySerializer(many=True)
    tasks = TaskSerializer(source="related_tasks", many=True)

    class Meta(SummarySerializer.Meta):
        fields = (*SummarySerializer.Meta.fields, "allowed_transitions", "history", "tasks")

    @extend_schema_field(AllowedSerializer(many=True))
    def get_allowed_transitions(self, instance: WorkflowInstance) -> list[dict[str, str]]:
        return allowed(instance)


class MoveSerializer(serializers.Serializer):
    event = serializers.CharField(max_length=100, help_text="One of the allowed transitions.")
    note = serializers.CharField(max_length=2000, required=False, allow_blank=True, default="")


class RefusalSerializer(serializers.Serializer):
    detail = serializers.CharField()
    current_state = serializers.CharField()
    allowed = serializers.ListField(child=serializers.CharField())


class HeldSerializer(RefusalSerializer):
    approval = ApprovalSerializer()


class CreatedSerializer(serializers.Serializer):
    model = serializers.CharField()
    id = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]


class EventSerializer(serializers.ModelSerializer):
    """What became of a delivery. Its body and headers stay inside: they are somebody's data."""

    event_id = serializers.UUIDField(source="id")
    created = CreatedSerializer(many=True)

    class Meta:
        model = InboundEvent
        fields = (
            "event_id",
            "provider",
            "event_type",
            "status",
            "attempts",
            "error",
            "created",
            "received_at",
            "next_attempt_at",
            "processed_at",
        )


def allowed(instance: WorkflowInstance) -> list[dict[str, str]]:
    """What may happen next: transitions, then what may be done to the status beside the state."""
    try:
        transitions = engine.allowed(instance)
    except Permanent:
        # Its workflow is gone or broken; the console says so, and nothing can be done from here.
        return []
    moves = [
        {"event": item.event, "to": item.to, "label": item.label or item.event, "approval": item.approval}
        for item in transitions
    ]
    actions = engine.allowed_status_actions(instance)
    return moves + [{"event": name, "to": instance.current_state, "label": name, "approval": ""} for name in actions]


def is_status_action(event: str) -> bool:
    return event in STATUS_ACTIONS
