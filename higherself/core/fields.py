"""Model fields for the kinds of value that Notion has and Django lacks."""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Lookup
from django.db.models.sql.compiler import SQLCompiler
from django.utils.translation import gettext_lazy as _

# Notion: select option names are capped at about 100 characters.
OPTION_LENGTH = 100


class DatalistInput(forms.TextInput):
    """A text input that suggests the known options without refusing others."""

    template_name = "admin/widgets/datalist.html"

    def __init__(self, options: list[str], attrs: dict[str, Any] | None = None) -> None:
        self.options = options
        super().__init__(attrs)

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        list_id = f"{context['widget']['attrs'].get('id', name)}-options"
        context["widget"]["attrs"]["list"] = list_id
        context["datalist"] = {"id": list_id, "options": self.options}
        return context


class SelectField(models.CharField):
    """One option of a Notion select, stored by its name.

    ``options`` are the names that the server itself knows and that ``setup_notion`` creates. People may add
    options in Notion, so other values are stored too: this is why Django's ``choices`` are not used.
    """

    def __init__(self, *args: Any, options: tuple[str, ...] | list[str] = (), **kwargs: Any) -> None:
        self.options = list(options)
        kwargs.setdefault("max_length", OPTION_LENGTH)
        kwargs.setdefault("blank", True)
        kwargs.setdefault("default", "")
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        # Options are no part of the table: adding one must not ask for a migration.
        return super().deconstruct()

    def formfield(self, **kwargs: Any) -> Any:
        if "widget" not in kwargs or not isinstance(kwargs["widget"], forms.Select):
            kwargs["widget"] = DatalistInput(self.options)
        return super().formfield(**kwargs)


class NameListField(models.JSONField):
    """A list of names: the options of a Notion multi-select."""

    def __init__(self, *args: Any, options: tuple[str, ...] | list[str] = (), **kwargs: Any) -> None:
        self.options = list(options)
        kwargs.setdefault("blank", True)
        kwargs.setdefault("default", list)
        super().__init__(*args, **kwargs)

    def formfield(self, **kwargs: Any) -> Any:
        return NameListFormField(
            required=False, label=kwargs.get("label", self.verbose_name), help_text=self.help_text, options=self.options
        )


@NameListField.register_lookup
class HasName(Lookup):  # type: ignore[type-arg]
    """``tags__has_name="VIP"``: the list holds exactly this name. Django's ``contains`` does not know SQLite."""

    lookup_name = "has_name"

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **_: Any) -> tuple[str, list[Any]]:
        column, params = self.process_lhs(compiler, connection)
        return f"EXISTS (SELECT 1 FROM json_each({column}) AS item WHERE item.value = %s)", [*params, self.rhs]  # noqa: S608

    def as_postgresql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **_: Any) -> tuple[str, list[Any]]:
        column, params = self.process_lhs(compiler, connection)
        return f"{column} @> %s::jsonb", [*params, json.dumps([self.rhs])]


class NameListFormField(forms.CharField):
    """Edits a list of names as one comma-separated line (Notion forbids commas in option names)."""

    def __init__(self, *args: Any, options: list[str] | None = None, **kwargs: Any) -> None:
        kwargs.setdefault("widget", forms.TextInput(attrs={"size": 80}))
        super().__init__(*args, **kwargs)
        if options and not self.help_text:
            self.help_text = "Comma-separated. Known: " + ", ".join(options)

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(str(name) for name in value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        if isinstance(value, list):
            return value
        names = [part.strip() for part in (value or "").split(",")]
        return list(dict.fromkeys(name for name in names if name))

    def has_changed(self, initial: Any, data: Any) -> bool:
        return self.to_python(initial) != self.to_python(data)


def _each_has(value: Any, key: str) -> bool:
    return isinstance(value, list) and all(isinstance(item, dict) and isinstance(item.get(key), str) for item in value)


def validate_people(value: Any) -> None:
    if not _each_has(value, "id"):
        raise ValidationError(_('People are a list of {"id": the Notion user\'s id, "name": …}.'))


def validate_files(value: Any) -> None:
    if not _each_has(value, "url"):
        raise ValidationError(_('Files are a list of {"name": …, "url": the address}.'))


class PeopleField(models.JSONField):
    """Notion users as ``[{"id": …, "name": …}]``. Only Notion knows who may be chosen."""

    default_validators = [validate_people]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("blank", True)
        kwargs.setdefault("default", list)
        super().__init__(*args, **kwargs)


class FilesField(models.JSONField):
    """Files as ``[{"name": …, "url": …}]``."""

    default_validators = [validate_files]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("blank", True)
        kwargs.setdefault("default", list)
        super().__init__(*args, **kwargs)


class LowercaseEmailField(models.EmailField):
    """An e-mail address as people compare them: trimmed and lower-case, in rows and in look-ups alike."""

    def to_python(self, value: Any) -> Any:
        value = super().to_python(value)
        return value.strip().lower() if isinstance(value, str) else value

    def get_prep_value(self, value: Any) -> Any:
        return self.to_python(super().get_prep_value(value))

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        value = self.to_python(getattr(model_instance, self.attname))
        setattr(model_instance, self.attname, value)
        return value
