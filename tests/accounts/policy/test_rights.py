"""Rights of developers, given for each application, together with their role."""

from __future__ import annotations

import pytest

from console.accounts.models import Membership
from console.accounts.policy import ALLOWED, NEEDS_RIGHT, Action
from console.applications.models import Application, Right
from console.choices import Role
from console.publishing.manifest import Manifest
from console.publishing.models import Release

BOTH = sorted(NEEDS_RIGHT)


@pytest.fixture
def other(studio) -> Application:
    return Application.objects.create(organization=studio, name="Other", link_name="other")


@pytest.fixture
def give(application, developer):
    """Give the developer the right for one action in the application."""

    def do(action: Action, user=None) -> Right:
        given = {Right.FIELDS[action]: True}
        return Right.objects.create(application=application, user=user or developer, **given)

    return do


def reached(user, action: Action) -> list[str]:
    return list(Application.objects.allowing(user, action).values_list("link_name", flat=True))


def test_every_restricted_action_has_a_right():
    assert set(Right.FIELDS) == set(NEEDS_RIGHT)
    for action, roles in NEEDS_RIGHT.items():
        assert roles < ALLOWED[action]


@pytest.mark.parametrize("action", BOTH)
def test_a_right_is_limited_to_its_application(action, give, other, developer):
    assert reached(developer, action) == []
    give(action)
    assert reached(developer, action) == ["field_service"]


@pytest.mark.parametrize("action", BOTH)
def test_a_right_allows_only_its_own_action(action, give, developer):
    give(action)
    assert [each for each in BOTH if reached(developer, each)] == [action]


@pytest.mark.parametrize("action", BOTH)
def test_super_admins_need_no_right(action, application, other, super_admin, studio, developer):
    assert reached(super_admin, action) == ["field_service", "other"]


@pytest.mark.parametrize("role", [None, Role.USER, Role.ADMIN])
def test_a_right_needs_the_developer_role(role, give, developer):
    give(Action.PUBLISH)
    memberships = Membership.objects.filter(user=developer)
    memberships.update(role=role) if role else memberships.delete()
    assert reached(developer, Action.PUBLISH) == []


def test_a_right_needs_a_membership_of_the_organization(give, stranger):
    give(Action.PUBLISH, stranger)
    assert reached(stranger, Action.PUBLISH) == []


def test_a_right_is_ignored_in_another_active_organization(give, developer, stranger_organization):
    give(Action.PUBLISH)
    Membership.objects.create(
        user=developer, organization=stranger_organization, role=Role.SUPER_ADMIN
    )
    developer.acting_in = stranger_organization
    assert reached(developer, Action.PUBLISH) == []


def test_a_right_needs_an_active_account(give, developer):
    give(Action.PUBLISH)
    developer.is_active = False
    assert reached(developer, Action.PUBLISH) == []


def test_releases_are_reached_in_one_query(
    give, application, other, developer, django_assert_num_queries
):
    for each in (application, other):
        Release.objects.create(
            application=each, number=1, content=Manifest().text, created_by=developer
        )
    give(Action.PUBLISH)
    with django_assert_num_queries(1):
        found = list(Release.objects.allowing(developer, Action.PUBLISH))
    assert [release.application_id for release in found] == [application.pk]
