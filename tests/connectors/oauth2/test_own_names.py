"""Services with their own parameter names, additional token parameters, or a refresh endpoint."""

from __future__ import annotations

import json
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

from connectors.api.auth_strategies import AUTH_TYPES
from connectors.api.check_call import check
from connectors.definitions.schema import (
    ApiKeyAuth,
    Connector,
    CredentialField,
    Revocation,
    Signing,
)
from connectors.oauth2 import (
    access_token_request,
    authorization_request,
    refresh_request,
    revocation,
)
from connectors.oauth2.client_authentication import ClientCredentials

CLIENT = ClientCredentials(client_id="abc", client_secret="s3cret")
REDIRECT_URI = "https://console.example/callback?a=b"
POST = {"token_endpoint_auth_method": "client_secret_post"}


def exchange(connector: Connector) -> None:
    access_token_request.exchange_code(
        connector,
        client=CLIENT,
        code="c0de +&",
        redirect_uri=REDIRECT_URI,
        code_verifier="v" * 43,
        values={},
    )


def test_the_services_name_for_the_client_id_is_used_everywhere(service, make_connector) -> None:
    connector = make_connector(
        **POST,
        client_id_parameter="client_key",
        revocation=Revocation(endpoint=f"{service.url}/revoke"),
    )
    url = authorization_request.authorization_url(
        connector,
        client_id="abc",
        redirect_uri=REDIRECT_URI,
        scopes=["a b", "c"],
        state="st&te",
        code_verifier=None,
        values={},
    )
    query = parse_qs(urlsplit(url).query)
    assert query["client_key"] == ["abc"] and "client_id" not in query
    assert query["redirect_uri"] == [REDIRECT_URI] and query["state"] == ["st&te"]

    service.answers({"access_token": "t", "refresh_token": "r"})
    exchange(connector)
    refresh_request.refresh(connector, client=CLIENT, refresh_token="r", values={})
    revocation.revoke(connector, client=CLIENT, tokens={"refresh_token": "r"}, values={})
    for request in service.asked:
        assert request.form["client_key"] == ["abc"]
        assert request.form["client_secret"] == ["s3cret"]
        assert "client_id" not in request.form
    assert service.asked[0].form["code"] == ["c0de +&"]


def test_token_parameters_are_sent_with_a_code_but_not_with_a_refresh(
    service, make_connector
) -> None:
    connector = make_connector(token_parameters={"expiring": "1"})
    service.answers({"access_token": "t"})
    exchange(connector)
    refresh_request.refresh(connector, client=CLIENT, refresh_token="r", values={})
    with_code, with_refresh = service.asked
    assert with_code.form["expiring"] == ["1"]
    assert with_refresh.form.keys() == {"grant_type", "refresh_token"}


def test_it_uses_the_refresh_endpoint(service, make_connector) -> None:
    connector = make_connector(refresh_endpoint=f"{service.url}/renew")
    service.answers({"access_token": "t"})
    exchange(connector)
    refresh_request.refresh(connector, client=CLIENT, refresh_token="r", values={})
    assert [request.path for request in service.asked] == ["/token", "/renew"]


def test_api_requests_can_contain_the_client_id(service, make_connector) -> None:
    connector = replace(
        make_connector(), api_base_url=service.url, api_headers={"Client-Id": "{client_id}"}
    )
    service.answers({"login": "alice"})
    check(connector, "oauth2", secret={"access_token": "t"}, values={"client_id": "abc"})
    assert service.only.all("Client-Id") == ["abc"]


def test_a_key_can_be_a_user_name_without_a_password(make_connector) -> None:
    key = ApiKeyAuth(
        fields=(CredentialField(name="key", label="Key"),), signing=Signing(basic_user="{key}")
    )
    connector = replace(make_connector(), oauth2=None, api_key=key)
    signed = AUTH_TYPES["api_key"].sign(connector, {"key": "abc"})
    assert signed.headers == {"Authorization": "Basic YWJjOg=="}


def test_the_token_request_can_be_json(service, make_connector) -> None:
    connector = make_connector(**POST, token_request="json", token_parameters={"more": "1"})
    service.answers({"access_token": "t"})
    exchange(connector)
    refresh_request.refresh(connector, client=CLIENT, refresh_token="r", values={})
    with_code, with_refresh = (json.loads(request.body) for request in service.asked)
    assert with_code == {
        "grant_type": "authorization_code",
        "code": "c0de +&",
        "redirect_uri": REDIRECT_URI,
        "code_verifier": "v" * 43,
        "client_id": "abc",
        "client_secret": "s3cret",
        "more": "1",
    }
    assert with_refresh["refresh_token"] == "r"
    assert service.asked[0].all("Content-Type") == ["application/json"]
