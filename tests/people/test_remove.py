"""Removing a person revokes their authorizations."""

from __future__ import annotations

from urllib.parse import parse_qs

import pytest
import responses
from django.db import transaction
from django.urls import reverse

from connections.models import Authorization, Credential, OAuthClient
from connectors.definitions.registry import get_connector
from console.accounts.models import Membership, User
from console.applications.models import Right
from console.people import memberships
from tests.audit.world import membership_forms

pytestmark = pytest.mark.usefixtures("application")


@pytest.fixture
def authorization(connect, grant) -> Authorization:
    """An authorization whose service supports revocation."""
    OAuthClient.objects.create(connector_slug="gmail", client_id="id", client_secret="secret")
    return grant(connect("gmail"))


@pytest.fixture
def asked():
    """Return the revoked tokens, and whether a transaction was open."""
    calls = []

    def answer(request):
        calls.append(
            (parse_qs(request.body)["token"], transaction.get_connection().in_atomic_block)
        )
        return 200, {}, ""

    with responses.RequestsMock(assert_all_requests_are_fired=False) as service:
        endpoint = get_connector("gmail").oauth2.revocation.endpoint
        service.add_callback(responses.POST, endpoint, answer)
        yield calls


@pytest.mark.django_db(transaction=True)
def test_it_revokes_at_services_after_the_commit_and_erases_credentials(
    rows, membership, super_admin, asked
):
    memberships.remove(membership, super_admin)

    assert (rows().state, rows().credential) == (Authorization.State.REVOKED, None)
    assert "removed developer@studio.example from Studio" in rows().reason
    assert asked == [(["a-refresh-token"], False), (["an-access-token"], False)]
    assert not Credential.objects.exists()
    assert not Membership.objects.filter(pk=membership.pk).exists()


@pytest.mark.django_db(transaction=True)
def test_credentials_are_erased_even_if_revoking_fails(rows, membership, super_admin, caplog):
    """An unexpected error, here of damaged parameters, must not keep a secret alive."""
    Credential.objects.update(parameters="damaged")

    memberships.remove(membership, super_admin)

    assert not Credential.objects.exists()
    assert "was erased without" in caplog.text


def test_an_account_that_a_colleague_reuses_is_kept(
    rows, connect, membership, colleague, super_admin, asked, django_capture_on_commit_callbacks
):
    credential = rows().credential
    theirs = Authorization.objects.create(
        connection=connect("gmail", name="Other"),
        organization=membership.organization,
        environment="all",
        authorized_by=colleague,
        credential=credential,
    )

    with django_capture_on_commit_callbacks(execute=True):
        memberships.remove(membership, super_admin)

    theirs.refresh_from_db()
    assert (theirs.state, theirs.credential, asked) == ("active", credential, [])


def test_it_deletes_the_persons_rights(membership, developer, application, super_admin):
    Right.objects.create(application=application, user=developer, may_publish=True)

    memberships.remove(membership, super_admin)

    assert not Right.objects.exists()


def test_it_reports_people_who_are_already_removed(membership, super_admin):
    Membership.objects.filter(pk=membership.pk).delete()

    with pytest.raises(memberships.NotAMember, match="no longer a member of Studio"):
        memberships.remove(membership, super_admin)


def test_removal_by_an_operator_has_the_same_effect(
    rows, membership, operator, signed_in, asked, django_capture_on_commit_callbacks
):
    row = {
        "id": membership.pk,
        "user": membership.user_id,
        "organization": membership.organization_id,
        "role": membership.role,
        "DELETE": "on",
    }
    address = reverse("admin:accounts_user_change", args=[membership.user_id])
    data = {"email": membership.user.email, "is_active": "on"} | membership_forms(row, initial=1)

    with django_capture_on_commit_callbacks(execute=True):
        assert signed_in(operator).post(address, data).status_code == 302

    assert (rows().state, rows().credential) == (Authorization.State.REVOKED, None)
    assert [token for (token,), _ in asked] == ["a-refresh-token", "an-access-token"]


@pytest.mark.parametrize("from_list", [False, True])
def test_deleting_an_account_revokes_everything(
    from_list,
    connect,
    grant,
    member,
    studio,
    operator,
    signed_in,
    asked,
    django_capture_on_commit_callbacks,
):
    leaver = member(studio, "user", "leaver@studio.example")
    shared, own = connect("gmail"), connect("twilio", name="Own", level="logged_in_user")
    OAuthClient.objects.create(connector_slug="gmail", client_id="id", client_secret="secret")
    grant(shared)
    Authorization.objects.update(authorized_by=leaver)
    grant(own, user=leaver)
    client = signed_in(operator)
    page = client.get(reverse("admin:accounts_user_delete", args=[leaver.pk]))
    assert b"This stops working" in page.content

    with django_capture_on_commit_callbacks(execute=True):
        if from_list:
            data = {"action": "delete_selected", "_selected_action": leaver.pk, "post": "yes"}
            answer = client.post(reverse("admin:accounts_user_changelist"), data)
        else:
            answer = client.post(
                reverse("admin:accounts_user_delete", args=[leaver.pk]), {"post": "yes"}
            )
        assert answer.status_code == 302

    assert not User.objects.filter(pk=leaver.pk).exists()
    assert Authorization.objects.get().state == Authorization.State.REVOKED
    assert not Credential.objects.exists()
    assert len(asked) == 2
