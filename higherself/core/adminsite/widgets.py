"""Form widgets for our own fields, in the console's look."""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.db import models
from django.utils.text import capfirst
from unfold.widgets import (
    INPUT_CLASSES,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from higherself.core.fields import NameListField, SelectField


class OptionSelect(UnfoldAdminSelectWidget):
    """The options that the server knows, and the present value even where it is none of them."""

    choices: Any

    def optgroups(self, name: str, value: list[str], attrs: dict[str, Any] | None = None) -> Any:
        own: list[tuple[str, str]] = list(self.choices)
        known = {key for key, _label in own}
        self.choices = [*own, *((item, item) for item in value if item and item not in known)]
        try:
            return super().optgroups(name, value, attrs)
        finally:
            self.choices = own


class PrettyJson(forms.JSONField):
    """JSON that is edited indented."""

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, str):
            return value
        return json.dumps(value, indent=2, ensure_ascii=False, cls=self.encoder)


class HttpsUrl(forms.URLField):
    """An address; one that is typed without its scheme is https."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(assume_scheme="https", **kwargs)


def formfield(db_field: models.Field[Any, Any], field: forms.Field) -> forms.Field:
    """The form field of one of our own model fields, dressed."""
    if isinstance(db_field, SelectField):
        if db_field.options:
            field.widget = OptionSelect(choices=[("", "–"), *((name, name) for name in db_field.options)])
        else:
            field.widget = UnfoldAdminTextInputWidget()
    elif isinstance(db_field, NameListField):
        field.label = capfirst(str(field.label))
        field.widget.attrs.update({"class": " ".join(INPUT_CLASSES)})
    return field


def text_area() -> UnfoldAdminTextareaWidget:
    return UnfoldAdminTextareaWidget(attrs={"rows": 4})


def json_area() -> UnfoldAdminTextareaWidget:
    return UnfoldAdminTextareaWidget(attrs={"rows": 12, "spellcheck": "false", "class": "hs-json-input"})
