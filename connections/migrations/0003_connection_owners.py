from django.db import migrations
from django.db.models import F


def set_owners(apps, schema_editor):
    """The owner of a connection is at first the person who created it."""
    connections = apps.get_model("connections", "Connection")
    connections.objects.filter(owner=None).update(owner=F("created_by"))


class Migration(migrations.Migration):
    dependencies = [("connections", "0002_connection_details")]
    operations = [migrations.RunPython(set_owners, migrations.RunPython.noop)]
