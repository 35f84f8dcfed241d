"""Tokens that arrive after their authorization has ended are revoked."""

from __future__ import annotations

import json
from datetime import timedelta
from urllib.parse import parse_qs

import pytest
import responses
from django.urls import reverse
from django.utils import timezone

from connections.authorizations import connection_deletion, granting, revoking, suspending
from connections.credentials.refreshing import NeedsAuthorization, fresh_secret
from connections.models import (
    Authorization,
    Connection,
    Credential,
    Flow,
    OAuthClient,
)
from connections.models.authorization_site import AuthorizationSite
from connectors.api.check_call import Account
from console.audit.actions import AuditAction
from console.audit.models import Event
from tests.connections.flow_steps import begin, flow_at, state_of, words_of

TOKEN = "https://oauth2.googleapis.com/token"
REVOKE = "https://oauth2.googleapis.com/revoke"
USER = "https://openidconnect.googleapis.com/v1/userinfo"
NEW = {"access_token": "late-access", "refresh_token": "late-refresh", "expires_in": 3600}
OLD_TOKENS = ["a-refresh-token", "an-access-token"]
NEW_TOKENS = ["late-refresh", "late-access"]


class Service:
    """Fake endpoints of Google that run code during a request and record revocation requests."""

    def __init__(self, network: responses.RequestsMock) -> None:
        self.meanwhile = self.while_revoking = lambda: None
        self.revoked: list[str] = []
        network.add_callback(responses.POST, TOKEN, self._token, content_type="application/json")
        network.add_callback(responses.POST, REVOKE, self._revoke)
        network.get(USER, json={"email": "bob@example.com", "sub": "bob"})

    def _token(self, request):
        self.meanwhile()
        return 200, {}, json.dumps(NEW)

    def _revoke(self, request):
        self.revoked += parse_qs(request.body)["token"]
        act, self.while_revoking = self.while_revoking, lambda: None
        act()
        return 200, {}, ""


@pytest.fixture
def service():
    with responses.RequestsMock(assert_all_requests_are_fired=False) as network:
        yield Service(network)


@pytest.fixture
def connection(connect) -> Connection:
    OAuthClient.objects.create(connector_slug="gmail", client_id="id", client_secret="a-secret-1")
    return connect("gmail")


@pytest.fixture
def authorization(connection, grant) -> Authorization:
    """An authorization of alice whose access token is due to be renewed."""
    ends = timezone.now() + timedelta(minutes=5)
    return grant(connection, account_id="alice", expires_at=ends)


def replace(connection: Connection, person, account: str, **fields):
    """Let another grant take the place of what is authorized."""
    new = granting.Grant(
        secret={"access_token": "theirs"},
        account=Account(label=account, identifier=account),
        parameters={},
        client=OAuthClient.objects.get(),
        **fields,
    )
    granting.store_grant(AuthorizationSite.of_connection(connection), person, ["all"], new)


def late() -> Event:
    return Event.objects.get(action=AuditAction.CREDENTIAL_REVOCATION_ASKED, details__late=True)


class TestOfARefresh:
    def test_after_revoking(self, service, authorization, developer):
        credential = authorization.credential
        service.meanwhile = lambda: revoking.revoke(authorization, developer)

        with pytest.raises(NeedsAuthorization):
            fresh_secret(credential, force=True)

        assert service.revoked == [*OLD_TOKENS, *NEW_TOKENS]
        assert not Credential.objects.exists()
        event = late()
        assert (event.organization, event.details["answer"]) == (
            authorization.organization,
            "revoked",
        )
        assert event.object_id == str(credential.pk)

    def test_after_deleting(self, service, authorization, developer):
        service.meanwhile = lambda: connection_deletion.delete_connection(
            authorization.connection, developer
        )

        with pytest.raises(NeedsAuthorization):
            fresh_secret(authorization.credential, force=True)

        assert service.revoked == [*OLD_TOKENS, *NEW_TOKENS]

    def test_after_another_account_took_its_place(self, service, authorization, developer):
        service.meanwhile = lambda: replace(authorization.connection, developer, "bob")

        with pytest.raises(NeedsAuthorization):
            fresh_secret(authorization.credential, force=True)

        assert service.revoked == [*OLD_TOKENS, *NEW_TOKENS]
        assert Credential.objects.get().account_id == "bob"

    @pytest.mark.parametrize("before", ["alice", ""])
    def test_the_new_grant_of_the_same_account_is_not_put_at_risk(
        self, service, authorization, developer, before
    ):
        """Many services revoke every grant of an account together."""
        Credential.objects.update(account_id=before)
        authorization.refresh_from_db()
        service.meanwhile = lambda: replace(authorization.connection, developer, "alice")

        with pytest.raises(NeedsAuthorization):
            fresh_secret(authorization.credential, force=True)

        assert service.revoked == []
        assert Authorization.objects.get().state == Authorization.State.ACTIVE

    def test_one_that_somebody_else_renewed_is_not_put_at_risk(self, service, authorization):
        service.meanwhile = lambda: Credential.objects.update(version=2, lease_owner="other")

        fresh_secret(authorization.credential, force=True)

        assert service.revoked == []
        assert Credential.objects.exists()

    def test_what_it_stores_while_the_old_tokens_are_revoked(
        self, service, authorization, developer
    ):
        seen = Credential.objects.get()
        service.while_revoking = lambda: fresh_secret(seen, force=True)

        revoking.revoke(authorization, developer)

        assert service.revoked == [*OLD_TOKENS, *NEW_TOKENS]
        assert not Credential.objects.exists()

    def test_after_every_row_was_deleted(self, service, authorization, developer):
        credential = Credential.objects.get()

        def delete() -> None:
            Authorization.objects.all().delete()
            Connection.objects.all().delete()
            Credential.objects.all().delete()

        service.meanwhile = delete

        with pytest.raises(NeedsAuthorization):
            fresh_secret(credential, force=True)

        assert service.revoked == NEW_TOKENS

    def test_a_service_that_is_down_spoils_nothing(self, service, authorization, developer):
        service.meanwhile = lambda: revoking.revoke(authorization, developer)

        def break_off() -> None:
            raise ConnectionError

        service.while_revoking = break_off

        with pytest.raises(NeedsAuthorization):
            fresh_secret(authorization.credential, force=True)

        assert late().details["answer"] == "revoked"


class TestOfACode:
    @pytest.fixture
    def come_back(self, developer_client, connection):
        """Come back from the service's page with a code."""
        state = state_of(begin(developer_client, connection))

        def go():
            query = {"code": "a-code", "state": state, "iss": "https://accounts.google.com"}
            return developer_client.get(reverse("oauth_callback", args=["gmail"]), query)

        return go

    def test_while_nothing_happens_it_is_kept(self, service, come_back):
        assert flow_at(come_back()["Location"]).outcome == Flow.Outcome.COMPLETED
        assert service.revoked == []

    def test_after_deleting(self, service, come_back, connection, developer):
        service.meanwhile = lambda: connection_deletion.delete_connection(connection, developer)

        response = come_back()

        assert response.status_code == 404
        assert "was deleted in the meantime" in words_of(response)
        assert service.revoked == NEW_TOKENS
        assert not Credential.objects.exists()
        assert late().details["answer"] == "revoked"

    def test_after_revoking_what_was_there(self, service, come_back, authorization, developer):
        service.meanwhile = lambda: revoking.revoke(authorization, developer)

        flow = flow_at(come_back()["Location"])

        assert flow.outcome == Flow.Outcome.FAILED
        assert "Revoked by developer@studio.example." in flow.problem
        assert "Gmail has revoked the access" in flow.problem
        assert service.revoked == [*OLD_TOKENS, *NEW_TOKENS]
        authorization.refresh_from_db()
        assert authorization.state == Authorization.State.REVOKED

    def test_after_revoking_in_another_environment(
        self, service, come_back, authorization, developer
    ):
        Authorization.objects.update(environment="stage")
        authorization.refresh_from_db()
        service.meanwhile = lambda: revoking.revoke(authorization, developer)

        assert flow_at(come_back()["Location"]).outcome == Flow.Outcome.COMPLETED
        assert service.revoked == OLD_TOKENS

    def test_after_canceling(self, service, come_back, developer_client):
        pk = Flow.objects.get().pk
        service.meanwhile = lambda: developer_client.post(reverse("flow_cancel", args=[pk]))

        flow = flow_at(come_back()["Location"])

        assert flow.outcome == Flow.Outcome.FAILED
        assert flow.problem.startswith("You canceled this authorization.")
        assert service.revoked == NEW_TOKENS
        assert not Credential.objects.exists()

    def test_after_the_person_was_demoted(self, service, come_back, developer):
        service.meanwhile = lambda: developer.memberships.update(role="user")

        flow = flow_at(come_back()["Location"])

        assert flow.outcome == Flow.Outcome.FAILED
        assert service.revoked == NEW_TOKENS

    def test_after_the_person_was_suspended(self, service, come_back, developer, studio):
        service.meanwhile = lambda: suspending.suspend(developer, studio, "They left.")

        assert flow_at(come_back()["Location"]).outcome == Flow.Outcome.FAILED
        assert service.revoked == NEW_TOKENS
        assert not Credential.objects.exists()

    def test_a_live_grant_of_the_same_account_is_not_put_at_risk(
        self, service, come_back, authorization, developer
    ):
        Credential.objects.update(account_id="bob")
        service.meanwhile = lambda: developer.memberships.update(role="user")

        assert flow_at(come_back()["Location"]).outcome == Flow.Outcome.FAILED
        assert service.revoked == []


@pytest.mark.parametrize("end", ["uninstall", "license"])
def test_of_a_code_after_the_installation_has_ended(
    service, connection, install, signed_in, client_people, end
):
    installed = install(connection)
    browser = signed_in(client_people["admin"])
    state = state_of(begin(browser, installed))

    def finish() -> None:
        if end == "license":
            type(installed).objects.update(ends_at=timezone.now())
        else:
            Flow.objects.filter(connection=connection).stop("Uninstalled.")
            installed.delete()

    service.meanwhile = finish
    query = {"code": "a-code", "state": state, "iss": "https://accounts.google.com"}
    flow = flow_at(browser.get(reverse("oauth_callback", args=["gmail"]), query)["Location"])

    assert flow.outcome == Flow.Outcome.FAILED
    assert service.revoked == NEW_TOKENS
