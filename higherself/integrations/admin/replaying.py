"""Having many events worked on again: by provider, state, type and time, after a look at how many they are."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from higherself.core.admin import shown, staff_page, who
from higherself.integrations import inbox
from higherself.integrations.models import InboundEvent
from higherself.integrations.registry import PROVIDERS

# So many are replayed at once; the next ones after these.
MOST = 5000
SHOWN = 10
PERMISSION = "integrations.change_inboundevent"
Status = InboundEvent.Status
_STATES = (Status.QUARANTINED, Status.IGNORED, Status.RETRYING, Status.PROCESSED)


class Moment(forms.DateTimeField):
    """Typed or chosen, in the server's time zone."""

    def __init__(self, **options: Any) -> None:
        widget = UnfoldAdminTextInputWidget(attrs={"type": "datetime-local"})
        super().__init__(required=False, widget=widget, **options)


class Wanted(forms.Form):
    """Which events; what is left empty does not narrow them down."""

    status = forms.ChoiceField(
        label=gettext_lazy("State"),
        choices=[(state.value, state.label) for state in _STATES],
        initial=Status.QUARANTINED.value,
        widget=UnfoldAdminSelectWidget,
    )
    provider = forms.ChoiceField(
        label=gettext_lazy("Provider"),
        required=False,
        choices=[("", gettext_lazy("every one")), *((slug, item.label) for slug, item in PROVIDERS.items())],
        widget=UnfoldAdminSelectWidget,
    )
    event_type = forms.CharField(
        label=gettext_lazy("Type begins with"), required=False, max_length=100, widget=UnfoldAdminTextInputWidget
    )
    since = Moment(label=gettext_lazy("Received since"))
    until = Moment(label=gettext_lazy("Received before"))

    def rows(self) -> QuerySet[InboundEvent]:
        """The events that are meant, oldest first. Only for a valid form."""
        wanted = self.cleaned_data
        rows = InboundEvent.objects.filter(status=wanted["status"])
        if wanted["provider"]:
            rows = rows.filter(provider=wanted["provider"])
        if wanted["event_type"]:
            rows = rows.filter(event_type__startswith=wanted["event_type"])
        if wanted["since"]:
            rows = rows.filter(received_at__gte=wanted["since"])
        if wanted["until"]:
            rows = rows.filter(received_at__lt=wanted["until"])
        return rows.order_by("received_at")


@staff_page("integrations/replay/", name="replay_events", permission=PERMISSION)
def replay(request: HttpRequest) -> HttpResponse:
    """GET looks, POST does it."""
    form = Wanted(request.POST if request.method == "POST" else request.GET or None)
    if request.method == "POST" and form.is_valid():
        return _do(request, form)
    context: dict[str, Any] = {"form": form, "most": MOST}
    if form.is_bound and form.is_valid():
        rows = form.rows()
        number = rows.order_by()[: MOST + 1].count()
        context |= {
            "number": number,
            "shown_number": f"{MOST:,}+" if number > MOST else f"{number:,}",
            "first": rows.defer("body", "headers")[:SHOWN],
        }
    return shown(request, "console/pages/replay.html", _("Replay events"), context)


def _do(request: HttpRequest, form: Wanted) -> HttpResponse:
    ids = list(form.rows().values_list("pk", flat=True)[:MOST])
    done = inbox.replay(InboundEvent.objects.filter(pk__in=ids), who(request))
    text = _("%(n)d will be worked on again from the start.") % {"n": done}
    messages.add_message(request, messages.SUCCESS if done else messages.WARNING, text)
    return HttpResponseRedirect(reverse("admin:integrations_inboundevent_changelist"))
