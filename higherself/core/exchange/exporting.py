"""Lists as spreadsheets: what the filters and the search show, all pages of it, without holding it in memory."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from typing import Any

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBadRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone

from higherself.core.access.sensitive import ask
from higherself.core.exchange import sheets
from higherself.core.exchange.columns import fields_of, to_cell

PERMISSION = "core.export_importrun"
FORMATS = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
_CHUNK = 500


def export_view(admin_class: Any, request: HttpRequest, kind: str) -> HttpResponseBase:
    """Streams the list. Everything at once, without a filter, asks for the password."""
    user: Any = request.user
    if not (admin_class.has_view_permission(request) and user.has_perm(PERMISSION)):
        raise PermissionDenied
    if kind not in FORMATS:
        return HttpResponseBadRequest("csv or xlsx")
    if not any(request.GET.values()):
        asked = ask(request)
        if asked is not None:
            return asked
    queryset = admin_class.get_changelist_instance(request).get_queryset(request)
    name = f"{admin_class.model._meta.model_name}-{timezone.localdate():%Y-%m-%d}.{kind}"
    _log(user, admin_class.model, request)
    answer = _xlsx(queryset) if kind == "xlsx" else StreamingHttpResponse(sheets.csv_lines(rows(queryset)))
    answer["Content-Type"] = FORMATS[kind]
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    answer["Cache-Control"] = "no-store"
    return answer


def rows(queryset: models.QuerySet[Any]) -> Iterator[list[Any]]:
    """The heading, then a line for each record; relations are read for some hundred records at a time."""
    fields = fields_of(queryset.model)
    yield [item.name for item in fields]
    cells = [to_cell(item) for item in fields]
    single = [item.name for item in fields if item.is_relation and not item.many_to_many]
    many = [item.name for item in fields if item.many_to_many]
    if single:
        queryset = queryset.select_related(*single)
    for row in queryset.prefetch_related(*many).iterator(chunk_size=_CHUNK):
        yield [cell(row) for cell in cells]


def _xlsx(queryset: models.QuerySet[Any]) -> HttpResponse | FileResponse:
    target = tempfile.TemporaryFile()  # noqa: SIM115 - the answer closes it
    sheets.write_xlsx(rows(queryset), target)
    target.seek(0)
    return FileResponse(target)


def _log(user: Any, model: type[models.Model], request: HttpRequest) -> None:
    LogEntry.objects.create(
        user_id=user.pk,
        content_type=ContentType.objects.get_for_model(model),
        object_repr=str(model._meta.verbose_name_plural)[:200],
        action_flag=CHANGE,
        change_message=f"Exported: {request.GET.urlencode() or 'all'}"[:500],
    )
