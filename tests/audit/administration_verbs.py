"""The verbs of Administration, and of the commands that do the same."""

from __future__ import annotations

from typing import Any

from django.core.management import call_command

from connections.models import OAuthClient
from connections.oauth_clients import registering
from console.accounts.models import Membership, Organization, User
from tests.audit.world import CANARY, World, membership_forms


def application_created(w: World):
    return w.admin(
        "applications_application_add", organization=w.studio.pk, name="New", link_name="new"
    )


def application_changed(w: World):
    return w.admin(
        "applications_application_change",
        w.application.pk,
        **{"name": "Other", "rights-TOTAL_FORMS": 0, "rights-INITIAL_FORMS": 0},
    )


def application_deleted(w: World):
    return w.admin("applications_application_delete", w.application.pk, post="yes")


def application_deleted_from_the_list(w: World):
    ticked = {"action": "delete_selected", "_selected_action": w.application.pk, "post": "yes"}
    return w.admin("applications_application_changelist", **ticked)


def _rights(w: World, initial: int, **right: Any):
    data: dict[str, Any] = {
        "name": w.application.name,
        "rights-TOTAL_FORMS": 1,
        "rights-INITIAL_FORMS": initial,
        "rights-0-application": w.application.pk,
    }
    data |= {f"rights-0-{name}": value for name, value in right.items()}
    return w.admin("applications_application_change", w.application.pk, **data)


def right_given(w: World):
    w.application.rights.all().delete()
    return _rights(w, 0, user=w.developer.pk, may_publish="on")


def right_taken(w: World):
    return _rights(w, 1, id=w.application.rights.get().pk)


def client_created(w: World):
    return w.admin(
        "connections_oauthclient_add",
        connector_slug="slack",
        organization=w.studio.pk,
        client_id="1",
        new_client_secret=CANARY,
    )


def _client(w: World) -> OAuthClient:
    return OAuthClient.objects.create(
        connector_slug="slack", organization=w.studio, client_id="1", client_secret="s"
    )


def client_changed(w: World):
    page = "connections_oauthclient_change"
    return w.admin(page, _client(w).pk, client_id="2", new_client_secret=CANARY)


def client_made_default(w: World):
    _client(w)
    other = OAuthClient.objects.create(connector_slug="slack", organization=w.studio, name="Other")
    return lambda: registering.make_default(other, w.super_admin)


def client_deleted(w: World):
    return w.admin("connections_oauthclient_delete", _client(w).pk, post="yes")


def client_registered_by_command(w: World):
    return lambda: call_command("register_client", "slack", client_id="1", organization="studio")


def organization_created(w: World):
    return w.admin("accounts_organization_add", name="New", slug="new")


def organization_changed(w: World):
    return w.admin("accounts_organization_change", w.studio.pk, name="Other")


def organization_deleted(w: World):
    empty = Organization.objects.create(name="Empty", slug="empty")
    return w.admin("accounts_organization_delete", empty.pk, post="yes")


def user_changed(w: World):
    row = w.developer.memberships.get()
    form = {"id": row.pk, "user": w.developer.pk, "organization": w.studio.pk, "role": row.role}
    data = membership_forms(form, initial=1) | {"email": w.developer.email, "first_name": "Ann"}
    return w.admin("accounts_user_change", w.developer.pk, **data, is_active="on")


def user_created(w: World):
    data = {"email": "new@studio.example", "usable_password": "true"} | membership_forms()
    return w.admin("accounts_user_add", password1=CANARY, password2=CANARY, **data)


def user_deleted(w: World):
    person = User.objects.create_user("gone@studio.example")
    return w.admin("accounts_user_delete", person.pk, post="yes")


def member_added(w: World):
    person = User.objects.create_user("new@studio.example")
    form = {"organization": w.studio.pk, "role": "developer", "user": person.pk}
    return w.admin(
        "accounts_user_change",
        person.pk,
        email=person.email,
        is_active="on",
        **membership_forms(form),
    )


def _member(w: World, **changed: Any):
    row: Membership = w.developer.memberships.get()
    form = {"id": row.pk, "user": w.developer.pk, "organization": w.studio.pk, "role": row.role}
    return w.admin(
        "accounts_user_change",
        w.developer.pk,
        email=w.developer.email,
        is_active="on",
        **membership_forms(form | changed, initial=1),
    )


def member_changed(w: World):
    return _member(w, role="admin")


def member_removed(w: World):
    return _member(w, DELETE="on")


def password_set_in_administration(w: World):
    return w.admin(
        "auth_user_password_change",
        w.developer.pk,
        password1=CANARY,
        password2=CANARY,
        usable_password="true",
        **{"set-password": "Set"},
    )
