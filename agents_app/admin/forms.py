"""Forms that refuse what could not run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from agents_app.models import WorkflowInstance
from agents_app.services import edits
from agents_app.services.edits import problem_of
from agents_app.workflow import engine
from higherself.core.admin import RecordAdmin, who
from higherself.core.errors import Permanent


class RunnableForm(forms.ModelForm):  # type: ignore[type-arg]
    """For workflows and transformations: an edit that cannot run is refused with everything that is wrong with it."""

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]
        if not self.errors and (problem := problem_of(self.instance, edits.stored(self.instance))):
            self.add_error(None, problem)


class EditedAdmin(RecordAdmin):
    """Saves an edit of what runs as Notion's edits are: taken over, or made a version of its own."""

    form = RunnableForm

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        before = edits.stored(obj) if change else {}
        super().save_model(request, obj, form, change)
        previous = {name: value for name, value in before.items() if getattr(obj, name) != value}
        if previous:
            edits.settle(obj, previous, who(request))
            messages.info(request, obj.edit_result)

    def import_problem(self, obj: Any) -> str:
        return problem_of(obj, edits.stored(obj) if obj.pk else None)

    def import_save(self, obj: Any, actor: str, save: Callable[[], None]) -> None:
        before = edits.stored(obj) if obj.pk else {}
        save()
        previous = {name: value for name, value in before.items() if getattr(obj, name) != value}
        if previous:
            edits.settle(obj, previous, actor)


class NewInstanceForm(forms.ModelForm):  # type: ignore[type-arg]
    """An instance made by hand begins like every other: in the initial state of a workflow that runs."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "workflow" in self.fields and self.instance.pk is None:
            self.fields["workflow"].required = True

    def clean_workflow(self) -> Any:
        workflow = self.cleaned_data["workflow"]
        if workflow is not None:
            try:
                engine.definition_of(WorkflowInstance(workflow=workflow))
            except Permanent as error:
                raise ValidationError(_("This workflow cannot run: %(reason)s") % {"reason": error}) from error
        return workflow
