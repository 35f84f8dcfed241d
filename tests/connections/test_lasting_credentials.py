"""A credential without a refresh token is traded for the next one while it lives (Meta)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from urllib.parse import parse_qsl, urlsplit

import pytest
import responses
from django.utils import timezone

from connections.credentials.refreshing import NeedsAuthorization, fresh_secret, is_refresh_due
from connections.models import Authorization, Credential, OAuthClient

GRAPH = "https://graph.facebook.com/v25.0/oauth/access_token"
SIXTY_DAYS = 60 * 24 * 3600

pytestmark = pytest.mark.django_db


@pytest.fixture
def make(connect: Callable, studio) -> Callable[..., Credential]:
    """Give a function that makes a credential of a service by OAuth 2, so many days old."""

    def credential(slug: str = "facebook", *, days: int = 0) -> Credential:
        obtained = timezone.now() - timedelta(days=days)
        ends = obtained + timedelta(seconds=SIXTY_DAYS)
        client = OAuthClient.objects.create(
            connector_slug=slug, client_id="abc", client_secret="s3cret"
        )
        made = Credential.objects.create(
            organization=studio,
            connector_slug=slug,
            auth_type="oauth2",
            client=client,
            label="Alice",
            secret={"access_token": "long-1", "refresh_token": "long-1"},
            obtained_at=obtained,
            expires_at=ends,
            ends_at=ends,
        )
        connection = connect(connector=slug)
        Authorization.objects.create(
            connection=connection, organization=studio, environment="development", credential=made
        )
        return made

    return credential


def test_it_is_due_when_half_of_its_life_is_over(make) -> None:
    young = make(days=29)
    assert not is_refresh_due(young)
    assert is_refresh_due(young, now=timezone.now() + timedelta(days=2))


@responses.activate
def test_it_is_traded_while_it_lives(make) -> None:
    responses.get(GRAPH, json={"access_token": "long-2", "expires_in": SIXTY_DAYS})
    old = make(days=40)

    assert fresh_secret(old) == {"access_token": "long-2", "refresh_token": "long-2"}

    row = Credential.objects.get()
    assert abs(row.ends_at - row.expires_at) < timedelta(seconds=1)
    assert row.expires_at > timezone.now() + timedelta(days=59)
    assert row.journal is None
    query = dict(parse_qsl(urlsplit(responses.calls[0].request.url).query))
    assert query["fb_exchange_token"] == "long-1"


@responses.activate
def test_an_outage_does_not_spoil_what_lives(make) -> None:
    responses.get(GRAPH, status=503)
    assert fresh_secret(make(days=40))["access_token"] == "long-1"


@responses.activate
def test_what_was_journalled_and_not_stored_renews_itself_next_time(make) -> None:
    old = make(days=40)
    old.journal = '{"access_token": "long-2", "expires_in": 5183944}'
    old.save()

    assert fresh_secret(old) == {"access_token": "long-2", "refresh_token": "long-2"}
    assert len(responses.calls) == 0


@responses.activate
def test_once_it_has_ended_a_person_is_needed(make) -> None:
    told = {"error": {"message": "Session has expired.", "type": "OAuthException", "code": 190}}
    responses.get(GRAPH, json=told, status=400)
    with pytest.raises(NeedsAuthorization):
        fresh_secret(make(days=61))
    assert Authorization.objects.get().state == Authorization.State.NEEDS_AUTHORIZATION


def test_only_where_the_service_wants_it_the_client_is_among_the_values(make) -> None:
    assert make("twitch").values == {"client_id": "abc"}
    assert make("spotify").values == {}
