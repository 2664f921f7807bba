"""The API over workflows and inbound events: see where something stands, and move it on."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable
from typing import Any

from django.db.models import Prefetch, Q, QuerySet
from django.http import Http404
from drf_spectacular.utils import OpenApiResponse, extend_schema, inline_serializer
from rest_framework import serializers, status
from rest_framework.exceptions import NotFound, PermissionDenied
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from agents_app.models import Approval, Task, WorkflowInstance
from agents_app.serializers import (
    ApprovalSerializer,
    EventSerializer,
    HeldSerializer,
    InstanceSerializer,
    MoveSerializer,
    RefusalSerializer,
    SummarySerializer,
    allowed,
    is_status_action,
)
from agents_app.workflow import engine
from agents_app.workflow.engine import Held, IllegalTransition
from higherself.core.auth import HasScope, TokenUser
from higherself.core.errors import Conflict, Permanent
from higherself.core.signals import notion_pages_wanted
from higherself.integrations.delivery import db_text
from higherself.integrations.models import InboundEvent
from higherself.integrations.schema import DETAIL, REFUSED

_PAGE = inline_serializer(
    "WorkflowInstancePage",
    {
        "next": serializers.URLField(allow_null=True),
        "previous": serializers.URLField(allow_null=True),
        "results": SummarySerializer(many=True),
    },
)
READ, WRITE = "workflows:read", "workflows:write"
_CLOSED = {
    401: OpenApiResponse(DETAIL, "No credentials, or wrong ones."),
    403: OpenApiResponse(DETAIL, "The token's scopes, or the person's permissions, do not include this."),
}
_UNKNOWN = {404: OpenApiResponse(DETAIL, "There is none with this id.")}


# The most digits that surely fit a 64-bit number.
_ROW_NUMBER = re.compile(r"[0-9]{1,18}", re.ASCII)


class InstancePages(CursorPagination):
    """Newest first, by primary key: it never changes, so no instance is skipped or shown twice."""

    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 200
    ordering = "-pk"

    def decode_cursor(self, request: Request) -> Any:
        """DRF compares whatever stands in a cursor with the primary key; what is no number of a row is no cursor."""
        cursor = super().decode_cursor(request)
        position = cursor.position if cursor is not None else None
        if position is not None and not _ROW_NUMBER.fullmatch(str(position)):
            raise NotFound(self.invalid_cursor_message)
        return cursor


class _Moment(serializers.DateTimeField):
    def to_internal_value(self, value: Any) -> Any:
        # An unescaped "+" of a time zone arrives as a space.
        return super().to_internal_value(value.replace(" ", "+") if isinstance(value, str) else value)


class FilterSerializer(serializers.Serializer):
    status = serializers.CharField(required=False, help_text="Active, Completed, Error, On Hold or Cancelled.")
    workflow = serializers.CharField(required=False, help_text="The workflow's id, such as WF-LEAD-CAPTURE.")
    state = serializers.CharField(required=False)
    contact = serializers.CharField(required=False, help_text="A contact's id or e-mail address.")
    updated_since = _Moment(required=False, help_text="ISO 8601; without a zone it is UTC.")


class ScopedView(APIView):
    permission_classes = (HasScope,)


class WorkflowListView(ScopedView):
    required_scope = READ

    @extend_schema(
        operation_id="list_workflow_instances",
        tags=["workflows"],
        parameters=[FilterSerializer],
        responses={
            200: _PAGE,
            400: OpenApiResponse(REFUSED, "A filter cannot be read."),
            **_CLOSED,
        },
    )
    def get(self, request: Request) -> Response:
        """Workflow instances, newest first, page by page; `next` and `previous` are addresses."""
        wanted = FilterSerializer(data=request.query_params)
        wanted.is_valid(raise_exception=True)
        paginator = InstancePages()
        page = paginator.paginate_queryset(_filtered(wanted.validated_data), request, view=self) or []
        return paginator.get_paginated_response(SummarySerializer(page, many=True, context=_context(page)).data)


class WorkflowView(ScopedView):
    required_scope = READ

    @extend_schema(
        operation_id="get_workflow_instance",
        tags=["workflows"],
        responses={200: InstanceSerializer, **_CLOSED, **_UNKNOWN},
    )
    def get(self, request: Request, instance_id: str) -> Response:
        """One instance: where it stands, how it got there, what may happen next, and its tasks."""
        return Response(_shown(instance_id))


class TransitionView(ScopedView):
    required_scope = WRITE
    required_permission = "agents_app.change_workflowinstance"

    @extend_schema(
        operation_id="move_workflow_instance",
        tags=["workflows"],
        request=MoveSerializer,
        responses={
            200: InstanceSerializer,
            202: OpenApiResponse(HeldSerializer, "A person has to allow it first: asked for, and not moved yet."),
            400: OpenApiResponse(REFUSED, "Field errors, or a body that cannot be read."),
            413: OpenApiResponse(DETAIL, "The body is over 2 MiB."),
            415: OpenApiResponse(DETAIL, "Neither JSON nor a form."),
            409: OpenApiResponse(RefusalSerializer, "Not allowed from where the instance stands; nothing was changed."),
            **_CLOSED,
            **_UNKNOWN,
        },
    )
    def post(self, request: Request, instance_id: str) -> Response:
        """Fires a transition, or hold, resume or retry, and answers with where the instance stands now.

        A transition that needs an approval is not fired: the answer is 202 and names the request, and once somebody
        with the right allows it in the console, the instance goes on by itself.
        """
        instance = _find(instance_id)
        move = MoveSerializer(data=request.data)
        move.is_valid(raise_exception=True)
        _check_permission(request.user, instance, move.validated_data["event"])
        try:
            _move(instance, user=request.user, **move.validated_data)
        except Held as waits:
            return Response(_held(instance_id, waits), status.HTTP_202_ACCEPTED)
        except (IllegalTransition, Conflict, Permanent) as refusal:
            return Response(_refused(instance_id, refusal), status.HTTP_409_CONFLICT)
        return Response(_shown(instance_id))


class EventView(ScopedView):
    required_scope = "events:read"

    @extend_schema(operation_id="get_event", tags=["events"], responses={200: EventSerializer, **_CLOSED, **_UNKNOWN})
    def get(self, request: Request, event_id: str) -> Response:
        """What became of a delivery: its status, attempts, the last error, and what it created."""
        try:
            event = InboundEvent.objects.defer("body", "headers").get(pk=uuid.UUID(event_id))
        except (ValueError, InboundEvent.DoesNotExist):
            raise Http404(f"No event has the id {event_id[:100]!r}.") from None
        return Response(EventSerializer(event).data)


def _filtered(wanted: dict[str, Any]) -> QuerySet[WorkflowInstance]:
    found = WorkflowInstance.objects.live().select_related("workflow", "contact", "business_entity")
    exact = {"status": "status__iexact", "workflow": "workflow__workflow_id", "state": "current_state"}
    found = found.filter(**{lookup: wanted[name] for name, lookup in exact.items() if name in wanted})
    if "contact" in wanted:
        person = wanted["contact"]
        found = found.filter(Q(contact__contact_id=person) | Q(contact__email=person.lower()))
    if "updated_since" in wanted:
        found = found.filter(updated_at__gte=wanted["updated_since"])
    return found


def _find(instance_id: str, related: Iterable[Prefetch] = ()) -> WorkflowInstance:
    rows = WorkflowInstance.objects.select_related("workflow", "contact", "business_entity")
    found = rows.prefetch_related(*related).filter(instance_id=db_text(instance_id)).first()
    if found is None:
        raise Http404(f"No workflow instance has the id {instance_id[:100]!r}.")
    return found


def _shown(instance_id: str) -> dict[str, Any]:
    instance = _find(instance_id, [Prefetch("history"), Prefetch("related_tasks", Task.objects.live())])
    return InstanceSerializer(instance, context=_context([instance])).data


def _context(instances: list[WorkflowInstance]) -> dict[str, Any]:
    urls: dict[int, str] = {}
    answers: list[Any] = notion_pages_wanted.send(WorkflowInstance, pks=[row.pk for row in instances])
    for _receiver, found in answers:
        urls |= found
    return {"notion_urls": urls}


def _check_permission(user: Any, instance: WorkflowInstance, event: str) -> None:
    """A transition may name a permission of its own. A token has none: its scope decides."""
    if isinstance(user, TokenUser) or is_status_action(event):
        return
    try:
        asked = [item.permission for item in engine.allowed(instance) if item.event == event and item.permission]
    except Permanent:
        return
    if not user.has_perms(asked):
        raise PermissionDenied(f"“{event}” needs the permission {', '.join(asked)}.")


def _move(instance: WorkflowInstance, *, event: str, note: str, user: Any) -> None:
    actor = user.get_username()
    if is_status_action(event):
        engine.change_status(instance, event, actor=actor, note=note)
    else:
        engine.advance(instance, event, actor=actor, note=note, requester=user)


def _held(instance_id: str, waits: Held) -> dict[str, Any]:
    approval = Approval.objects.get(approval_id=waits.approval)
    return {**_refused(instance_id, waits), "approval": ApprovalSerializer(approval).data}


def _refused(instance_id: str, refusal: Exception) -> dict[str, Any]:
    """Read again: after a conflict the instance stands elsewhere than we believed."""
    instance = _find(instance_id)
    return {
        "detail": str(refusal),
        "current_state": instance.current_state,
        "allowed": [item["event"] for item in allowed(instance)],
    }
