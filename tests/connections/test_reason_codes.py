from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
import responses
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from connections.authorizations import revoking, suspending
from connections.authorizations.state_changes import mark_ended, mark_recovered
from connections.calls.errors import AuthorizationRequired
from connections.calls.readiness import ensure_ready
from connections.credentials.refreshing import NeedsAuthorization, fresh_secret
from connections.models import Authorization, Credential, OAuthClient
from connections.models.reason_code import ReasonCode
from console.runtime.problem_details import problem_of
from tests.connections.call_helpers import state_of
from tests.connections.flow_steps import words_of

TOKEN = "https://oauth2.googleapis.com/token"
State = Authorization.State


def problem(connection) -> dict:
    with pytest.raises(AuthorizationRequired) as caught:
        ensure_ready(state_of(connection))
    return problem_of(caught.value).document


def test_the_guide_lists_every_code():
    guide = (Path(settings.BASE_DIR) / "docs/guides/developer.md").read_text()
    assert [code for code in ReasonCode if f"| `{code}` |" not in guide] == []


def test_without_an_authorization(connect):
    assert problem(connect())["reason_code"] == "never_authorized"


def test_what_was_revoked(connect, grant, developer):
    connection = connect()
    revoking.revoke(grant(connection), developer)
    assert problem(connection)["reason_code"] == "revoked_here"


def test_a_suspension_keeps_the_code_of_before(connect, grant, developer, studio):
    connection = connect()
    credential = grant(connection).credential
    mark_ended(credential, State.NEEDS_AUTHORIZATION, "No.", ReasonCode.CREDENTIAL_REFUSED)
    assert problem(connection)["reason_code"] == "credential_refused"
    with transaction.atomic():
        suspending.suspend(developer, studio, "They left.")
    assert problem(connection)["reason_code"] == "person_deactivated"
    with transaction.atomic():
        suspending.restore(developer, studio)
    assert problem(connection)["reason_code"] == "credential_refused"
    mark_recovered(credential)
    assert state_of(connection).reason_code == ""


def test_what_ended_without_a_refresh_token(connect, grant):
    connection = connect()
    grant(connection, ends_at=timezone.now() - timedelta(minutes=1))
    assert problem(connection)["reason_code"] == "access_expired"


def test_missing_permissions_have_a_code_as_well(connect, grant):
    connection = connect(scopes=["contacts.read"])
    grant(connection, scopes_granted=[])
    assert state_of(connection).reason_code == "permissions_missing"


@pytest.mark.parametrize(
    ("ends_in", "code"), [(5, "refresh_token_refused"), (-5, "refresh_token_expired")]
)
def test_a_refused_refresh(developer_client, connect, grant, ends_in, code):
    OAuthClient.objects.create(connector_slug="google_sheets", client_id="c", client_secret="s")
    connection = connect("google_sheets", scopes=["files.read"])
    now = timezone.now()
    grant(
        connection,
        expires_at=now - timedelta(minutes=1),
        ends_at=now + timedelta(minutes=ends_in),
        is_extended=True,
    )
    with responses.RequestsMock() as service:
        service.post(TOKEN, json={"error": "invalid_grant"}, status=400)
        with pytest.raises(NeedsAuthorization):
            fresh_secret(Credential.objects.select_related("client").get())
    assert problem(connection)["reason_code"] == code
    assert code in words_of(developer_client.get(connection.get_absolute_url()))
