"""Migration operation that makes the database reject updates of a table's rows."""

from __future__ import annotations

from typing import Any

from django.db import migrations

_SQLITE = """
CREATE TRIGGER {name} BEFORE UPDATE ON {table}
BEGIN SELECT RAISE(ABORT, '{message}'); END
"""
_POSTGRESQL = """
CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION '{message}' USING ERRCODE = 'integrity_constraint_violation'; END $$;
CREATE TRIGGER {name} BEFORE UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION {name}();
"""


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
