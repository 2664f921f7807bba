"""Searching for words in several columns of a long table: one condition, which PostgreSQL answers from one index.

Each word has to stand somewhere in the columns put together. Without the index (on SQLite, or where the extension
`pg_trgm` may not be made) every row is read, which is slower and finds the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import DatabaseError, migrations, models, transaction


def joined(table: str, columns: Sequence[str]) -> str:
    """The SQL of the columns put together; the index is over exactly this."""
    return "UPPER(" + " || ' ' || ".join(f'"{table}"."{column}"' for column in columns) + ")"


def by_words(rows: models.QuerySet[Any], columns: Sequence[str], term: str) -> models.QuerySet[Any]:
    """The rows that hold every word of ``term``, whatever its case."""
    expression = joined(rows.model._meta.db_table, columns)
    for word in term.split():
        pattern = "%" + _escaped(word) + "%"
        rows = rows.extra(where=[f"{expression} LIKE UPPER(%s) ESCAPE '!'"], params=[pattern])  # noqa: S610
    return rows


def _escaped(word: str) -> str:
    for sign in "!%_":
        word = word.replace(sign, f"!{sign}")
    return word


def trigram_index(name: str, table: str, columns: Sequence[str]) -> migrations.RunPython:
    """The migration that makes the index on PostgreSQL, where the extension is there or may be made."""

    def forwards(_apps: Any, schema_editor: Any) -> None:
        if schema_editor.connection.vendor == "postgresql" and _has_trigrams(schema_editor.connection):
            expression = joined(table, columns).replace(f'"{table}".', "")
            schema_editor.execute(f'CREATE INDEX "{name}" ON "{table}" USING gin (({expression}) gin_trgm_ops)')

    def backwards(_apps: Any, schema_editor: Any) -> None:
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(f'DROP INDEX IF EXISTS "{name}"')

    return migrations.RunPython(forwards, backwards)


def _has_trigrams(database: Any) -> bool:
    """Whether the extension is there; it is made where that is allowed."""
    with database.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_extension WHERE extname = 'pg_trgm'")
        if cursor.fetchone():
            return True
        try:
            with transaction.atomic(using=database.alias):
                cursor.execute("CREATE EXTENSION pg_trgm")
        except DatabaseError:
            # No right to, or not installed: searching reads every row then.
            return False
    return True
