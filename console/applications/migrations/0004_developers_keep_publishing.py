from django.db import migrations


def keep_publishing(apps, schema_editor):
    """Give each developer the right to publish what is there: until now his role gave it."""
    Application = apps.get_model("applications", "Application")
    Membership = apps.get_model("accounts", "Membership")
    Right = apps.get_model("applications", "Right")
    developers = {}
    for organization, user in Membership.objects.filter(role="developer").values_list(
        "organization_id", "user_id"
    ):
        developers.setdefault(organization, []).append(user)
    Right.objects.bulk_create(
        (
            Right(application_id=application, user_id=user, may_publish=True)
            for application, organization in Application.objects.values_list(
                "pk", "organization_id"
            )
            for user in developers.get(organization, [])
        ),
        batch_size=500,
        ignore_conflicts=True,
    )


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
        ("applications", "0003_right"),
    ]

    operations = [migrations.RunPython(keep_publishing, migrations.RunPython.noop)]
