"""Rows that are inserted and never changed: a queryset and a database trigger refuse updates."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NoReturn, TypeVar

from django.db import migrations, models

M = TypeVar("M", bound=models.Model)

_SQLITE = """
CREATE TRIGGER {name} BEFORE UPDATE ON {table}
BEGIN SELECT RAISE(ABORT, '{message}'); END
"""
_POSTGRESQL = """
CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION '{message}' USING ERRCODE = 'integrity_constraint_violation'; END $$;
CREATE TRIGGER {name} BEFORE UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION {name}();
"""


class InsertOnlyQuerySet(models.QuerySet[M]):
    """A queryset whose rows can be inserted and read only."""

    def update(self, **values: Any) -> NoReturn:
        self._refuse()

    def bulk_update(
        self, objs: Iterable[M], fields: Iterable[str], batch_size: int | None = None
    ) -> NoReturn:
        self._refuse()

    def delete(self) -> NoReturn:
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise TypeError(f"{self.model._meta.verbose_name_plural} never change.".capitalize())


def refuse_updates(table: str, message: str) -> migrations.RunPython:
    """Return an operation that adds a trigger to ``table`` that rejects ``UPDATE``.

    On SQLite, a migration that changes columns rebuilds the table and so drops its triggers. Such a
    migration must end with this operation again.
    """
    name = f"{table}_refuses_updates"

    def add(apps: Any, schema_editor: Any) -> None:
        sql = _SQLITE if schema_editor.connection.vendor == "sqlite" else _POSTGRESQL
        schema_editor.execute(sql.format(name=name, table=table, message=message))

    def remove(apps: Any, schema_editor: Any) -> None:
        is_sqlite = schema_editor.connection.vendor == "sqlite"
        schema_editor.execute(f"DROP TRIGGER {name}" + ("" if is_sqlite else f" ON {table}"))
        if not is_sqlite:
            schema_editor.execute(f"DROP FUNCTION {name}()")

    return migrations.RunPython(add, remove)
