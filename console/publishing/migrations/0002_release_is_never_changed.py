from django.db import migrations

SQLITE = """
CREATE TRIGGER release_is_never_changed BEFORE UPDATE ON publishing_release
BEGIN SELECT RAISE(ABORT, 'A release never changes.'); END
"""
POSTGRESQL = """
CREATE FUNCTION release_is_never_changed() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'A release never changes.' USING ERRCODE = 'integrity_constraint_violation'; END $$;
CREATE TRIGGER release_is_never_changed BEFORE UPDATE ON publishing_release
FOR EACH ROW EXECUTE FUNCTION release_is_never_changed();
"""


def refuse_changes(apps, schema_editor):
    vendor = schema_editor.connection.vendor
    schema_editor.execute(SQLITE if vendor == "sqlite" else POSTGRESQL)


def allow_changes(apps, schema_editor):
    table = "" if schema_editor.connection.vendor == "sqlite" else " ON publishing_release"
    schema_editor.execute(f"DROP TRIGGER release_is_never_changed{table}")
    if table:
        schema_editor.execute("DROP FUNCTION release_is_never_changed()")


class Migration(migrations.Migration):
    """Let the database itself keep releases as they are.

    SQLite drops triggers with a table that a migration makes anew: whoever changes the columns
    of a release runs ``refuse_changes`` again.
    """

    dependencies = [("publishing", "0001_initial")]

    operations = [migrations.RunPython(refuse_changes, allow_changes)]
