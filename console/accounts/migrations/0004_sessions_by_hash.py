"""End every session: a row is found by the hash of its key from now on, and these hold keys."""

from django.db import migrations


def end(apps, schema_editor):
    apps.get_model("usersessions", "UserSession").objects.all().delete()
    apps.get_model("sessions", "Session").objects.all().delete()


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0003_confirmed_addresses"),
        ("sessions", "0001_initial"),
        ("usersessions", "0001_initial"),
    ]

    operations = [migrations.RunPython(end, migrations.RunPython.noop)]
