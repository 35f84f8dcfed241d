"""Every change checks the permission again, in its own transaction."""

from __future__ import annotations

import pytest
from django.db import connection as database
from django.urls import reverse

from connections.authorizations import connection_deletion
from connections.models import Connection
from connections.setup import changing, drafting
from connections.setup.forms import PermissionsForm, RenameForm
from console.accounts import authority
from console.accounts.authority import NotAllowed
from console.accounts.models import Membership
from console.accounts.policy import ALLOWED, NEEDS_RIGHT, Action
from console.applications import rights
from console.applications.models import Right
from console.audit.models import Event
from console.choices import Role
from console.components import saving
from console.components.models import Component
from console.publishing import publishing
from console.publishing.models import Release
from console.transfer import exporting, importing


@pytest.fixture
def published(application, developer, may_publish, build) -> Release:
    build("Find people")
    return publishing.publish(application, developer, ticked=["find_people"]).release


def publish(w):
    w("build")("Order parts")
    return lambda: publishing.publish(w("application"), w("developer"), ticked=["order_parts"])


def roll_back(w):
    first = w("published")
    w("build")("Order parts")
    publishing.publish(w("application"), w("developer"), ticked=["order_parts"])
    return lambda: publishing.roll_back(w("application"), w("developer"), to=first)


def create_component(w):
    component = Component(
        application=w("application"), kind="function", name="New", definition='{"calls": []}'
    )
    return lambda: saving.create(component, w("developer"))


def save_component(w):
    component = w("build")("Find people")
    component.name = "Other"
    return lambda: saving.save(component, w("developer"), version=1)


def delete_component(w):
    component = w("build")("Find people")
    return lambda: saving.delete(component, w("developer"))


def create_connection(w):
    draft = w("connect")("twilio", status="draft", link_name="", name="Messages")
    return lambda: drafting.create(draft, w("developer"))


def rename_connection(w):
    form = RenameForm({"name": "Other"}, instance=w("connect")())
    assert form.is_valid()
    return lambda: changing.rename(form, w("developer"))


def change_permissions(w):
    form = PermissionsForm({"all_actions": "on"}, instance=w("connect")())
    assert form.is_valid()
    return lambda: changing.change_permissions(form, w("developer"))


def delete_connection(w):
    connection = w("connect")()
    return lambda: connection_deletion.delete_connection(connection, w("developer"))


CHANGES = [
    publish,
    roll_back,
    create_component,
    save_component,
    delete_component,
    create_connection,
    rename_connection,
    change_permissions,
    delete_connection,
]


def rows() -> list:
    models = (Component, Connection, Release, Event)
    return [list(model.objects.order_by("pk").values()) for model in models]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
@pytest.mark.parametrize("taken", ["demoted", "deactivated", "removed", "switched off"])
def test_it_refuses_people_who_lost_their_role(change, taken, request, developer, may_publish):
    do = change(request.getfixturevalue)
    memberships = Membership.objects.filter(user=developer)
    match taken:
        case "demoted":
            memberships.update(role=Role.USER)
        case "deactivated":
            memberships.update(deactivated_at="2026-01-01T00:00Z")
        case "removed":
            memberships.delete()
        case "switched off":
            type(developer).objects.filter(pk=developer.pk).update(is_active=False)
    before = rows()

    with pytest.raises(NotAllowed, match="Nothing was changed"):
        do()

    assert rows() == before


@pytest.mark.parametrize("change", [publish, roll_back], ids=lambda change: change.__name__)
def test_it_refuses_people_who_lost_their_right(change, request, may_publish):
    do = change(request.getfixturevalue)
    Right.objects.update(may_publish=False)
    before = rows()
    with pytest.raises(NotAllowed):
        do()
    assert rows() == before


def test_a_super_admin_needs_no_right(application, super_admin, build):
    build("Find people")
    publishing.publish(application, super_admin, ticked=["find_people"])
    assert Release.objects.get().created_by == super_admin


def test_a_developer_imports_nothing(studio, developer, application):
    text = exporting.export(application)
    with pytest.raises(NotAllowed):
        importing.import_application(text, studio, developer)
    assert studio.applications.count() == 1


@pytest.mark.parametrize("role", Role.values)
@pytest.mark.parametrize("action", Action)
def test_it_agrees_with_the_policy_table(action, role, member, studio, application):
    person = member(studio, role)
    by_role = role in ALLOWED[action] and role not in NEEDS_RIGHT.get(action, ())
    assert _is_held(authority.check_and_lock, person, studio, action) == by_role
    if action not in NEEDS_RIGHT:
        return
    assert _is_held(rights.hold, person, application, action) == by_role
    given = {Right.FIELDS[action]: True}
    Right.objects.create(application=application, user=person, **given)
    assert _is_held(rights.hold, person, application, action) == (role in ALLOWED[action])


def test_it_refuses_operators_and_strangers(studio, operator, stranger):
    assert not _is_held(authority.check_and_lock, operator, studio, Action.MANAGE_COMPONENTS)
    assert not _is_held(authority.check_and_lock, stranger, studio, Action.MANAGE_COMPONENTS)


def test_losing_permission_during_a_request_is_answered_as_if_before_it(
    developer_client, application, may_publish, build
):
    build("Find people")
    release = reverse("publish", args=[application.pk])

    def take(execute, sql, *arguments):
        if 'UPDATE "publishing_stage"' in sql:  # the view has asked, the change has not
            Right.objects.filter(may_publish=True).update(may_publish=False)
        return execute(sql, *arguments)

    with database.execute_wrapper(take):
        response = developer_client.post(release, {"tick": "find_people"})

    assert response.status_code == 404
    assert "There is nothing here" in response.content.decode()
    assert not Release.objects.exists()
    assert not application.stage.lease


def _is_held(hold, person, what, action) -> bool:
    try:
        hold(person, what, action)
    except NotAllowed:
        return False
    return True
