"""Token requests of real services that differ from the standard."""

from __future__ import annotations

import json
import re
from urllib.parse import parse_qsl, urlsplit

import pytest

from connectors.errors import CredentialRefused, ServiceRefused
from tests.connectors.definitions.test_catalogue import CONNECTORS
from tests.connectors.oauth2.test_oddities import checked, exchange, form, network, page, refresh

__all__ = ["network"]

# Meta: no refresh token, the access token itself is traded while it lives


@pytest.mark.parametrize("slug", ["facebook", "facebook_pages"])
def test_meta_tokens_are_exchanged_for_long_lived_ones(network, slug: str) -> None:
    meta = CONNECTORS[slug]
    graph = "https://graph.facebook.com/v25.0/oauth/access_token"
    network.post(graph, json={"access_token": "short", "expires_in": 5400})
    network.get(graph, json={"access_token": "long", "expires_in": 5183944})

    first = exchange(meta, {})
    again = refresh(meta, {}, first.refresh_token)

    assert (first.access_token, first.refresh_token) == ("long", "long")
    assert first.expires_in == first.refresh_expires_in == again.expires_in == 5183944
    traded = [dict(parse_qsl(urlsplit(c.request.url).query)) for c in network.calls[1:]]
    assert [query["fb_exchange_token"] for query in traded] == ["short", "long"]
    assert {query["grant_type"] for query in traded} == {"fb_exchange_token"}


def test_meta_reports_an_ended_token_with_status_400(network) -> None:
    body = {"error": {"message": "Error validating access token.", "code": 190}}
    network.get("https://graph.facebook.com/v25.0/me", json=body, status=400)
    with pytest.raises(CredentialRefused):
        checked(CONNECTORS["facebook"], {})
    body["error"]["code"] = 100
    network.replace("GET", "https://graph.facebook.com/v25.0/me", json=body, status=400)
    with pytest.raises(ServiceRefused, match="status 400") as caught:
        checked(CONNECTORS["facebook"], {})
    assert not isinstance(caught.value, CredentialRefused)


# Names and addresses of their own


def test_tiktok_calls_the_client_a_key(network) -> None:
    tiktok = CONNECTORS["tiktok"]
    query = page(tiktok, {}, "user.info.basic", "video.list")
    assert (query["client_key"], query["scope"]) == ("abc", "user.info.basic,video.list")
    network.post(tiktok.oauth2.token_endpoint, json={"access_token": "t0ken"})
    exchange(tiktok, {})
    assert form(network.calls[0].request)["client_key"] == "abc"


def test_twitch_requires_the_client_id_with_each_call(network) -> None:
    network.get("https://id.twitch.tv/oauth2/validate", json={"login": "alice"})
    checked(CONNECTORS["twitch"], {"client_id": "abc"})
    assert network.calls[0].request.headers["Client-Id"] == "abc"


def test_figma_has_a_separate_refresh_endpoint(network) -> None:
    network.post("https://api.figma.com/v1/oauth/refresh", json={"access_token": "new"})
    assert refresh(CONNECTORS["figma"], {}).access_token == "new"


@pytest.mark.parametrize("slug", ["square", "squarespace"])
def test_token_requests_in_json(network, slug: str) -> None:
    connector = CONNECTORS[slug]
    network.post(re.compile(".*"), json={"access_token": "t0ken", "refresh_token": "r"})
    exchange(connector, {"environment": "squareup"})
    refresh(connector, {"environment": "squareup"})
    grants = [json.loads(call.request.body)["grant_type"] for call in network.calls]
    assert grants == ["authorization_code", "refresh_token"]
    assert {c.request.headers["Content-Type"] for c in network.calls} == {"application/json"}
