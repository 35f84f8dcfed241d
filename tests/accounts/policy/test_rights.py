"""What is given to a person application by application, and what his role makes of it."""

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
    """Give the developer one action in the application."""

    def do(action: Action, user=None) -> Right:
        given = {Right.FIELDS[action]: True}
        return Right.objects.create(application=application, user=user or developer, **given)

    return do


def reached(user, action: Action) -> list[str]:
    return list(Application.objects.allowing(user, action).values_list("link_name", flat=True))


def test_there_is_a_box_for_all_that_is_given():
    assert set(Right.FIELDS) == set(NEEDS_RIGHT)
    for action, roles in NEEDS_RIGHT.items():
        assert roles < ALLOWED[action]


@pytest.mark.parametrize("action", BOTH)
def test_it_reaches_the_application_that_was_given_and_no_other(action, give, other, developer):
    assert reached(developer, action) == []
    give(action)
    assert reached(developer, action) == ["field_service"]


@pytest.mark.parametrize("action", BOTH)
def test_one_right_is_not_the_other(action, give, developer):
    give(action)
    assert [each for each in BOTH if reached(developer, each)] == [action]


@pytest.mark.parametrize("action", BOTH)
def test_a_super_admin_needs_none(action, application, other, super_admin, studio, developer):
    assert reached(super_admin, action) == ["field_service", "other"]


@pytest.mark.parametrize("role", [None, Role.USER, Role.ADMIN])
def test_it_counts_while_he_is_a_developer(role, give, developer):
    give(Action.PUBLISH)
    memberships = Membership.objects.filter(user=developer)
    memberships.update(role=role) if role else memberships.delete()
    assert reached(developer, Action.PUBLISH) == []


def test_it_does_not_count_for_a_developer_of_another_organization(give, stranger):
    give(Action.PUBLISH, stranger)
    assert reached(stranger, Action.PUBLISH) == []


def test_it_does_not_count_while_he_acts_in_another_organization(
    give, developer, stranger_organization
):
    give(Action.PUBLISH)
    Membership.objects.create(
        user=developer, organization=stranger_organization, role=Role.SUPER_ADMIN
    )
    developer.acting_in = stranger_organization
    assert reached(developer, Action.PUBLISH) == []


def test_it_does_not_count_for_who_is_switched_off(give, developer):
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
