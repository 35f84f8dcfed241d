from django.db import migrations

SQLITE = """
CREATE TRIGGER event_is_never_changed BEFORE UPDATE ON audit_event
BEGIN SELECT RAISE(ABORT, 'An event never changes.'); END
"""
POSTGRESQL = """
CREATE FUNCTION event_is_never_changed() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'An event never changes.' USING ERRCODE = 'integrity_constraint_violation'; END $$;
CREATE TRIGGER event_is_never_changed BEFORE UPDATE ON audit_event
FOR EACH ROW EXECUTE FUNCTION event_is_never_changed();
"""


def refuse_changes(apps, schema_editor):
    vendor = schema_editor.connection.vendor
    schema_editor.execute(SQLITE if vendor == "sqlite" else POSTGRESQL)


def allow_changes(apps, schema_editor):
    table = "" if schema_editor.connection.vendor == "sqlite" else " ON audit_event"
    schema_editor.execute(f"DROP TRIGGER event_is_never_changed{table}")
    if table:
        schema_editor.execute("DROP FUNCTION event_is_never_changed()")


class Migration(migrations.Migration):
    """Let the database itself keep events as they are.

    SQLite drops triggers with a table that a migration makes anew: whoever changes the columns
    of an event runs ``refuse_changes`` again.
    """

    dependencies = [("audit", "0001_initial")]

    operations = [migrations.RunPython(refuse_changes, allow_changes)]
