from django.db import migrations, models


class Migration(migrations.Migration):
    """Every name follows one rule now (console/names.py); the column is as it was."""

    dependencies = [("connections", "0007_connection_by_connector")]

    operations = [
        migrations.AlterField(
            model_name="connection",
            name="name",
            field=models.CharField(max_length=50, verbose_name="Connection Name"),
        )
    ]
