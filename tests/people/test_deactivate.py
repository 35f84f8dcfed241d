"""Deactivating a person ends their access and suspends their authorizations."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.urls import reverse
from django.utils import timezone

from connections.authorizations import granting, state_changes
from connections.authorizations.suspending import RESTORABLE_FOR
from connections.credentials.testing import check_authorization
from connections.models import Authorization, Flow, OAuthClient
from connections.models.authorization_site import AuthorizationSite
from connectors.errors import CredentialRefused
from console.accounts.models import Membership, Organization
from console.accounts.policy import Action
from console.audit.models import Event
from console.people import memberships

State = Authorization.State


def test_it_ends_access_in_every_session(signed_in, developer, membership, super_admin):
    sessions = [signed_in(developer), signed_in(developer)]
    assert [each.get(reverse("connection_list")).status_code for each in sessions] == [200, 200]

    memberships.deactivate(membership, super_admin)

    assert [each.get(reverse("connection_list")).status_code for each in sessions] == [403, 403]


def test_no_permission_remains(developer, studio, membership, super_admin):
    memberships.deactivate(membership, super_admin)

    assert not developer.may(Action.MANAGE_CONNECTIONS)
    assert not Organization.objects.of(developer)


def test_deactivated_people_can_sign_in_and_get_an_explanation(
    signed_in, developer, membership, super_admin
):
    memberships.deactivate(membership, super_admin)

    page = signed_in(developer).get(reverse("home"))

    assert page.status_code == 200
    assert b"You cannot use Studio since" in page.content
    assert b"You belong to no organization yet" not in page.content


def test_other_organizations_are_not_affected(
    signed_in, developer, membership, super_admin, stranger_organization
):
    Membership.objects.create(user=developer, organization=stranger_organization, role="developer")
    memberships.deactivate(membership, super_admin)
    client = signed_in(developer)

    assert client.get("/o/elsewhere/microservices/").status_code == 200
    assert client.get("/o/studio/microservices/").status_code == 404
    assert b"You cannot use Studio" not in client.get("/").content


def test_deactivated_super_admins_cannot_open_administration(
    member, studio, super_admin, signed_in
):
    other = member(studio, "super_admin", "second@studio.example")
    client = signed_in(other)
    assert client.get(reverse("admin:index")).status_code == 200

    memberships.deactivate(other.memberships.get(), super_admin)

    assert client.get(reverse("admin:index")).status_code == 403


def test_it_suspends_authorizations_and_keeps_credentials(rows, membership, super_admin):
    memberships.deactivate(membership, super_admin)

    row = rows()
    assert (row.state, row.credential is not None) == (State.SUSPENDED, True)
    assert "developer@studio.example was deactivated on" in row.reason


def test_authorizations_of_others_keep_working(connect, grant, membership, colleague, super_admin):
    theirs = grant(connect("twilio", name="Messages"))
    Authorization.objects.update(authorized_by=colleague)

    memberships.deactivate(membership, super_admin)

    theirs.refresh_from_db()
    assert theirs.state == State.ACTIVE


def test_authorizations_in_other_organizations_keep_working(
    rows, membership, super_admin, stranger_organization
):
    Authorization.objects.update(organization=stranger_organization)

    memberships.deactivate(membership, super_admin)

    assert rows().state == State.ACTIVE


def test_nobody_can_use_or_refresh_suspended_authorizations(rows, membership, super_admin, network):
    memberships.deactivate(membership, super_admin)
    credential = rows().credential

    with pytest.raises(CredentialRefused, match="was deactivated"):
        check_authorization(rows())
    state_changes.mark_recovered(credential)
    state_changes.mark_ended(credential, State.NEEDS_AUTHORIZATION, "The service said no.")

    assert rows().state == State.SUSPENDED
    assert not network.calls


def test_the_connection_page_gives_the_reason(rows, membership, super_admin, colleague, signed_in):
    memberships.deactivate(membership, super_admin)

    page = signed_in(colleague).get(rows().connection.get_absolute_url())

    assert b'data-state="suspended"' in page.content
    assert b"developer@studio.example was deactivated on" in page.content


def test_it_ends_flows_that_have_started(authorization, developer, membership, super_admin):
    client = OAuthClient.objects.create(connector_slug="sandbox", client_id="c", client_secret="s")
    flow = Flow.objects.create(
        state_hash="0" * 64,
        browser_hash="1" * 64,
        user=developer,
        connection=authorization.connection,
        organization=authorization.organization,
        environments=["all"],
        client=client,
        redirect_uri=client.redirect_uri,
        expires_at=timezone.now() + timedelta(minutes=10),
    )

    memberships.deactivate(membership, super_admin)

    flow.refresh_from_db()
    assert flow.outcome == Flow.Outcome.FAILED


def test_each_connection_gets_an_event(authorization, membership, super_admin):
    memberships.deactivate(membership, super_admin)

    event = Event.objects.get(object_id=authorization.connection.pk, action__contains="suspended")
    assert (event.actor, event.details["environments"]) == (super_admin, ["all"])


def test_deactivating_twice_has_no_further_effect(membership, super_admin):
    memberships.deactivate(membership, super_admin)
    before = Event.objects.count()

    memberships.deactivate(membership, super_admin)

    assert Event.objects.count() == before


@pytest.mark.parametrize("role", ["admin", "developer", "user"])
def test_it_requires_a_super_admin(role, member, studio, membership):
    other = member(studio, role, "other@studio.example")

    with pytest.raises(PermissionDenied):
        memberships.deactivate(membership, other)

    membership.refresh_from_db()
    assert membership.deactivated_at is None


def test_it_refuses_super_admins_of_other_organizations(member, stranger_organization, membership):
    other = member(stranger_organization, "super_admin")

    with pytest.raises(PermissionDenied):
        memberships.deactivate(membership, other)


def test_reactivating_in_time_restores_authorizations(rows, membership, super_admin):
    memberships.deactivate(membership, super_admin)

    memberships.reactivate(membership, super_admin)

    row = rows()
    assert (row.state, row.reason, row.state_before) == (State.ACTIVE, "", "")
    assert row.authorized_by.may(Action.MANAGE_CONNECTIONS)


def test_reactivating_does_not_repair_broken_authorizations(rows, membership, super_admin):
    Authorization.objects.update(state=State.NEEDS_AUTHORIZATION)
    memberships.deactivate(membership, super_admin)

    memberships.reactivate(membership, super_admin)

    assert rows().state == State.NEEDS_AUTHORIZATION


def test_reactivating_keeps_authorizations_that_a_colleague_replaced(
    rows, membership, colleague, super_admin
):
    memberships.deactivate(membership, super_admin)
    grant = granting.Grant(secret={"access_token": "new"}, account=None, parameters={})
    granting.store_grant(
        AuthorizationSite.of_connection(rows().connection), colleague, ["all"], grant
    )
    new = rows().credential

    memberships.reactivate(membership, super_admin)

    assert (rows().credential, rows().authorized_by) == (new, colleague)


def test_reactivating_too_late_restores_nothing(
    rows, membership, super_admin, django_capture_on_commit_callbacks, network
):
    memberships.deactivate(membership, super_admin)
    Membership.objects.filter(pk=membership.pk).update(
        deactivated_at=timezone.now() - RESTORABLE_FOR - timedelta(minutes=1)
    )

    with django_capture_on_commit_callbacks(execute=True):
        memberships.reactivate(membership, super_admin)

    assert (rows().state, rows().credential) == (State.REVOKED, None)
    membership.refresh_from_db()
    assert membership.deactivated_at is None


def test_it_refuses_authorizations_in_progress(rows, developer, membership, super_admin):
    memberships.deactivate(membership, super_admin)
    grant = granting.Grant(secret={"access_token": "new"}, account=None, parameters={})

    with pytest.raises(PermissionDenied):
        granting.store_grant(
            AuthorizationSite.of_connection(rows().connection), developer, ["all"], grant
        )

    assert rows().state == State.SUSPENDED
