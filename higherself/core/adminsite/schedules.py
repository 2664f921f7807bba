"""The time of day of the daily jobs, which an Owner may choose."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.apps import apps
from django.contrib import messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from higherself.core import jobs
from higherself.core.adminsite import cells
from higherself.core.adminsite.pages import staff_page
from higherself.core.adminsite.panels import TOP, Panel, panel

Schedule = apps.get_model("django_q", "Schedule")
# Operators may change a schedule as far as "Run now" does; only Owners make schedules.
PERMISSION = "django_q.add_schedule"


@panel(Schedule)
def time_of_day(request: HttpRequest, row: Any) -> Panel | None:
    at = jobs.daily_at(row.name)
    if at is None:
        return None
    user: Any = request.user
    context = {
        "at": at,
        "usual": jobs.usual_time(row.name),
        "zone": timezone.get_current_timezone_name(),
        "may": user.has_perm(PERMISSION),
        "url": reverse("admin:schedule_time", args=[row.pk]),
    }
    return Panel(gettext_lazy("Time of day"), "console/schedule.html", context, place=TOP, icon="schedule")


def _wanted(request: HttpRequest, row: Any) -> dt.time:
    """Raises ValidationError where no time was given, LookupError where the job came with none."""
    if "usual" not in request.POST:
        at: dt.time = forms.TimeField().clean(request.POST.get("at"))
        return at
    usual = jobs.usual_time(row.name)
    if usual is None:
        raise LookupError(f"{row.name} is not daily")
    return usual


@staff_page("schedules/<int:pk>/time/", name="schedule_time", permission=PERMISSION)
def set_time(request: HttpRequest, pk: int) -> HttpResponse:
    """POST with ``at`` as hours and minutes, or with ``usual`` for the time that the job came with."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    row = get_object_or_404(Schedule, pk=pk)
    back = HttpResponseRedirect(cells.change_url(Schedule, row.pk))
    try:
        at = _wanted(request, row)
        first = jobs.run_daily_at(row.name, at)
    except forms.ValidationError:
        messages.error(request, _("Give a time of day, as 06:30; nothing was changed."))
        return back
    except LookupError:
        messages.error(request, _("This job does not run daily; nothing was changed."))
        return back
    told = _("Runs daily at %(at)s; next %(first)s.") % {
        "at": f"{at:%H:%M}",
        "first": date_format(timezone.localtime(first), "DATETIME_FORMAT"),
    }
    LogEntry.objects.log_actions(str(request.user.pk), [row], CHANGE, change_message=told)
    messages.success(request, told)
    return back
