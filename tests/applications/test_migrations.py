"""What a release of the console does to rows that are there already."""

from __future__ import annotations

from importlib import import_module

from django.apps import apps

from console.accounts.policy import Role
from console.applications.models import Application, Right

MIGRATION = "console.applications.migrations.0004_developers_keep_publishing"


def test_developers_keep_publishing_what_they_published(
    studio, application, developer, member, super_admin, stranger, stranger_organization
):
    second = member(studio, Role.DEVELOPER, "second@studio.example")
    member(studio, Role.USER)
    other = Application.objects.create(organization=studio, name="Other", link_name="other")
    Application.objects.create(organization=stranger_organization, name="X", link_name="x")

    import_module(MIGRATION).keep_publishing(apps, None)

    rights = Right.objects.filter(application__in=[application, other])
    assert set(rights.values_list("application", "user", "may_publish", "may_distribute")) == {
        (each.pk, user.pk, True, False)
        for each in (application, other)
        for user in (developer, second)
    }
    assert list(stranger.rights.values_list("application__link_name", flat=True)) == ["x"]
