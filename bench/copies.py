"""Very many rows of a model in one statement: copies of one row, with what must differ told in SQL."""

from __future__ import annotations

from typing import Any

from django.db import connection, models


def copies(row: models.Model, number: int, **differ: str) -> None:
    """Inserts ``number`` copies. ``differ`` gives columns as SQL expressions over ``n.i``, which counts from 1.

    In them ``{ago:X}`` stands for the time X seconds before now, X being SQL, and ``{uuid}`` for a new UUID.
    """
    table = row._meta.db_table
    own = {item.column for item in row._meta.concrete_fields}
    unknown = set(differ) - own
    if unknown:
        raise LookupError(f"{table} has no column {', '.join(sorted(unknown))}")
    key = row._meta.pk
    assert key is not None
    names = [name for name in sorted(own) if name != key.column or name in differ]
    values = [_sql(differ[name]) if name in differ else f't."{name}"' for name in names]
    quoted = ", ".join(f'"{name}"' for name in names)
    numbers = f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {int(number)})"
    statement = f'INSERT INTO "{table}" ({quoted}) {numbers} SELECT {", ".join(values)} FROM n, "{table}" t'
    with connection.cursor() as cursor:
        cursor.execute(f'{statement} WHERE t."{key.column}" = %s', [key.get_db_prep_value(row.pk, connection)])


def _sql(expression: str) -> str:
    sqlite = connection.vendor == "sqlite"
    made = expression.replace("{uuid}", "lower(hex(randomblob(16)))" if sqlite else "gen_random_uuid()")
    while "{ago:" in made:
        before, _mark, rest = made.partition("{ago:")
        inner, _end, after = rest.partition("}")
        ago = (
            f"strftime('%%Y-%%m-%%d %%H:%%M:%%f000', 'now', '-' || ({inner}) || ' seconds')"
            if sqlite
            else f"now() - ({inner}) * interval '1 second'"
        )
        made = before + ago + after
    return made


def refresh_statistics() -> None:
    """What the database would do by itself after a while."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def first(model: Any, **values: Any) -> Any:
    """The row that is copied."""
    return model._base_manager.create(**values)
