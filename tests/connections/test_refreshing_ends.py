"""A refresh updates the end of the grant and its scopes."""

from __future__ import annotations

from datetime import timedelta

import pytest
import responses
from django.utils import timezone

from connections.credentials.refreshing import fresh_secret
from connections.models import Credential, OAuthClient

TOKEN = "https://oauth2.googleapis.com/token"
HALF_AN_HOUR = timedelta(minutes=30)


@pytest.fixture
def service():
    with responses.RequestsMock() as mock:
        yield mock


@pytest.fixture
def credential(connect, grant) -> Credential:
    """Return a credential with a refresh token that is 20 minutes old and valid for 30."""
    OAuthClient.objects.create(connector_slug="google_sheets", client_id="c", client_secret="s")
    given = timezone.now() - timedelta(minutes=20)
    return grant(
        connect("google_sheets"),
        obtained_at=given,
        expires_at=given + timedelta(minutes=5),
        ends_at=given + HALF_AN_HOUR,
        is_extended=True,
        scopes_granted=["files.read"],
    ).credential


def again() -> Credential:
    return Credential.objects.select_related("client").get()


def renew(service, **answer) -> Credential:
    service.post(TOKEN, json={"access_token": "new", "expires_in": 300, **answer})
    fresh_secret(again(), force=True)
    return again()


def test_an_end_that_each_refresh_extends_is_not_shown(credential, service):
    row = renew(service, refresh_expires_in=1800)
    assert row.is_extended
    assert row.ends_at > timezone.now() + timedelta(minutes=29)
    assert (row.reauthorize_by, row.is_expiring) == (None, False)


def test_the_first_refresh_shows_that_the_end_is_extended(credential, service):
    Credential.objects.update(is_extended=False)
    assert again().is_expiring
    assert renew(service, refresh_expires_in=1800).is_extended


def test_an_end_that_stays_is_shown(credential, service):
    """For example a session that ends at a fixed time, however often it is refreshed."""
    row = renew(service, refresh_expires_in=600)
    assert not row.is_extended
    assert row.is_expiring
    assert row.reauthorize_by == row.ends_at


def test_a_refresh_right_after_another_proves_nothing(credential, service):
    Credential.objects.update(
        obtained_at=timezone.now(), ends_at=timezone.now() + HALF_AN_HOUR, is_extended=True
    )
    assert renew(service, refresh_expires_in=1800).is_extended


@pytest.mark.parametrize("scope", ["", None, []])
def test_no_scope_leaves_the_permissions_as_they_are(credential, service, scope):
    assert renew(service, scope=scope).scopes_granted == ["files.read"]


def test_another_scope_is_stored(credential, service):
    assert renew(service, scope="files.list").scopes_granted == ["files.list"]
