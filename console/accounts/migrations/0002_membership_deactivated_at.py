from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="membership",
            name="deactivated_at",
            field=models.DateTimeField(editable=False, null=True, verbose_name="deactivated"),
        ),
        migrations.AlterModelOptions(name="membership", options={"verbose_name_plural": "people"}),
    ]
