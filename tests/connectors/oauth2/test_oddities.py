"""Where real services differ from the standard: one test for each, with their own responses."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
import responses

from connectors.api.auth_strategies import AUTH_TYPES
from connectors.api.check_call import Account, check
from connectors.definitions.schema import Connector
from connectors.definitions.templates import fill_url
from connectors.errors import ClientRefused, CredentialRefused, ServiceForbidden
from connectors.oauth2 import access_token_request, authorization_request, refresh_request
from connectors.oauth2.client_authentication import ClientCredentials
from connectors.oauth2.token_response import TokenResponse, kept_from_callback
from tests.connectors.definitions.test_catalogue import CONNECTORS

CLIENT = ClientCredentials(client_id="abc", client_secret="s3cret")
BASIC_CLIENT = "abc:s3cret"


@pytest.fixture
def network() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


def page(connector: Connector, values: Mapping[str, str], *scopes: str) -> dict[str, str]:
    """Return the query of the authorization URL; the key ``""`` holds the URL without it."""
    url = authorization_request.authorization_url(
        connector,
        client_id="abc",
        redirect_uri="https://console.example/callback",
        scopes=scopes,
        state="st4te",
        code_verifier=authorization_request.new_code_verifier() if connector.oauth2.pkce else None,
        values=values,
    )
    return dict(parse_qsl(urlsplit(url).query)) | {"": url.partition("?")[0]}


def exchange(connector: Connector, values: Mapping[str, str]) -> TokenResponse:
    return access_token_request.exchange_code(
        connector,
        client=CLIENT,
        code="c0de",
        redirect_uri="https://console.example/callback",
        code_verifier="v" * 43 if connector.oauth2.pkce else None,
        values=values,
    )


def refresh(connector: Connector, values: Mapping[str, str], token: str = "r") -> Any:
    return refresh_request.refresh(connector, client=CLIENT, refresh_token=token, values=values)


def checked(connector: Connector, values: Mapping[str, str]) -> Account:
    secret = {"access_token": "t0ken", "refresh_token": ""}
    return check(connector, "oauth2", secret=secret, values=values)


def form(request: Any) -> dict[str, str]:
    body = request.body.decode() if isinstance(request.body, bytes) else request.body or ""
    return {name: value for name, (value,) in parse_qs(body).items()}


# Slack

BOT_AND_PERSON = {
    "ok": True,
    "access_token": "xoxb-bot",
    "token_type": "bot",
    "scope": "chat:write,channels:read",
    "team": {"id": "T1", "name": "Acme"},
    "authed_user": {"id": "U1", "scope": "search:read", "access_token": "xoxp-person"},
}


def test_slack_nests_the_persons_token_beside_the_bots(network) -> None:
    slack = CONNECTORS["slack"]
    network.post(slack.oauth2.token_endpoint, json=BOT_AND_PERSON)
    as_bot = exchange(slack, {})
    assert (as_bot.access_token, as_bot.scopes) == ("xoxb-bot", ("chat:write", "channels:read"))

    nested = replace(slack, oauth2=replace(slack.oauth2, token_path="authed_user"))
    as_person = exchange(nested, {})
    assert (as_person.access_token, as_person.scopes) == ("xoxp-person", ("search:read",))


def test_slack_refuses_with_status_200(network) -> None:
    slack = CONNECTORS["slack"]
    network.post(slack.oauth2.token_endpoint, json={"ok": False, "error": "invalid_code"})
    with pytest.raises(CredentialRefused):
        exchange(slack, {})
    network.post("https://slack.com/api/auth.test", json={"ok": False, "error": "token_revoked"})
    with pytest.raises(CredentialRefused, match="token_revoked"):
        checked(slack, {})


# GitHub


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("bad_verification_code", CredentialRefused),
        ("incorrect_client_credentials", ClientRefused),
    ],
)
def test_github_refuses_with_status_200(network, code: str, error: type[Exception]) -> None:
    github = CONNECTORS["github"]
    body = {"error": code, "error_description": "No.", "error_uri": "https://docs.github.com"}
    network.post(github.oauth2.token_endpoint, json=body)
    with pytest.raises(error):
        exchange(github, {})


# Zoho

ZOHO = [slug for slug in CONNECTORS if slug.startswith("zoho_")]


@pytest.mark.parametrize("slug", ZOHO)
def test_zoho_tokens_come_from_the_data_center_of_the_account(network, slug: str) -> None:
    zoho = CONNECTORS[slug]
    values = {"data_center": "zoho.com"}
    back = {"code": "c0de", "location": "eu", "accounts-server": "https://accounts.zoho.eu"}
    values |= kept_from_callback(zoho, back, values)
    answer = {"access_token": "t0ken", "api_domain": "https://www.zohoapis.eu"}
    network.post("https://accounts.zoho.eu/oauth/v2/token", json=answer)

    values |= exchange(zoho, values).kept

    query = page(zoho, {"data_center": "zoho.eu"}, "x")
    assert query[""] == "https://accounts.zoho.eu/oauth/v2/auth"
    assert (query["access_type"], query["prompt"]) == ("offline", "consent")
    if "{api_domain}" in zoho.api_base_url:
        assert fill_url(zoho.api_base_url, values).startswith("https://www.zohoapis.eu")
    with pytest.raises(ServiceForbidden):
        kept_from_callback(zoho, back | {"accounts-server": "https://evil.example"}, values)


def test_a_refresh_keeps_the_zoho_host(network) -> None:
    zoho = CONNECTORS["zoho_crm"]
    network.post("https://accounts.zoho.jp/oauth/v2/token", json={"access_token": "new"})
    answer = refresh(zoho, {"accounts_server": "https://accounts.zoho.jp"})
    assert (answer.kept, answer.refresh_token) == ({}, "")


# Salesforce, Shopify, QuickBooks: the response says which host to call


def test_salesforce_names_its_instance_only_at_the_exchange(network) -> None:
    salesforce = CONNECTORS["salesforce"]
    values = {"login_host": "login.salesforce.com"}
    first = {"access_token": "t0ken", "instance_url": "https://acme.my.salesforce.com"}
    network.post("https://login.salesforce.com/services/oauth2/token", json=first)
    kept = exchange(salesforce, values).kept
    assert fill_url(salesforce.api_base_url, kept) == "https://acme.my.salesforce.com"

    network.replace("POST", "https://login.salesforce.com/services/oauth2/token", json={
        "access_token": "new"
    })  # fmt: skip
    assert refresh(salesforce, values | kept).kept == {}

    network.replace("POST", "https://login.salesforce.com/services/oauth2/token", json={
        "access_token": "t0ken", "instance_url": "https://evil.example"
    })  # fmt: skip
    with pytest.raises(ServiceForbidden):
        exchange(salesforce, values)


def test_shopify_has_a_host_for_each_shop_and_its_own_header(network) -> None:
    shopify = CONNECTORS["shopify"]
    (shop,) = shopify.parameters
    for hostile in ("evil.example", "acme.myshopify.com.evil.example", "a/b.myshopify.com", ""):
        assert not shop.accepts(hostile)
    values = {"shop": "acme.myshopify.com"}
    assert page(shopify, values)[""] == "https://acme.myshopify.com/admin/oauth/authorize"
    network.post("https://acme.myshopify.com/admin/oauth/access_token", json={
        "access_token": "shpat", "scope": "read_products,write_orders"
    })  # fmt: skip
    assert exchange(shopify, values).scopes == ("read_products", "write_orders")
    signed = AUTH_TYPES["oauth2"].sign(shopify, {"access_token": "shpat"})
    assert signed.headers == {"X-Shopify-Access-Token": "shpat"}


def test_quickbooks_names_the_company_only_in_the_callback(network) -> None:
    quickbooks = CONNECTORS["quickbooks_online"]
    kept = kept_from_callback(quickbooks, {"code": "c", "realmId": "9130"}, {})
    assert kept == {"realm_id": "9130"}
    values = {"environment": "quickbooks", **kept}
    network.get("https://quickbooks.api.intuit.com/v3/company/9130/companyinfo/9130", json={
        "CompanyInfo": {"CompanyName": "Acme"}
    })  # fmt: skip
    assert checked(quickbooks, values).label == "Acme"
    for hostile in ({}, {"realmId": "../x"}, {"realmId": "1/2"}):
        with pytest.raises(ServiceForbidden):
            kept_from_callback(quickbooks, {"code": "c", **hostile}, {})


# Client authentication, offline access, PKCE


@pytest.mark.parametrize("slug", ["notion", "reddit", "x", "spotify", "pinterest"])
def test_the_client_id_is_only_in_the_header(network, slug: str) -> None:
    connector = CONNECTORS[slug]
    network.post(re.compile(".*"), json={"access_token": "t0ken"})
    exchange(connector, {})
    refresh(connector, {})
    for call in network.calls:
        scheme, _, value = call.request.headers["Authorization"].partition(" ")
        assert (scheme, b64decode(value).decode()) == ("Basic", BASIC_CLIENT)
        assert not {"client_id", "client_secret"} & form(call.request).keys()


@pytest.mark.parametrize(
    "slug", [s for s, c in CONNECTORS.items() if c.oauth2 and "google.com" in c.oauth2.issuer]
)
def test_google_issues_refresh_tokens_with_prompt_consent(slug: str) -> None:
    query = page(CONNECTORS[slug], {}, "openid")
    assert (query["access_type"], query["prompt"]) == ("offline", "consent")
    assert query["code_challenge_method"] == "S256"


def test_reddit_issues_permanent_refresh_tokens() -> None:
    assert page(CONNECTORS["reddit"], {}, "identity")["duration"] == "permanent"


MICROSOFT = [
    slug
    for slug, connector in CONNECTORS.items()
    if connector.oauth2 and "login.microsoftonline.com" in connector.oauth2.token_endpoint
]


@pytest.mark.parametrize("slug", MICROSOFT)
def test_microsoft_uses_the_tenant_and_offline_access(network, slug: str) -> None:
    connector = CONNECTORS[slug]
    tenant = next(p for p in connector.parameters if p.name == "tenant")
    assert tenant.accepts("organizations") and tenant.accepts("contoso.onmicrosoft.com")
    assert not tenant.accepts("../evil") and not tenant.accepts("a/b")
    values = {"tenant": "contoso.onmicrosoft.com"}
    home = "https://login.microsoftonline.com/contoso.onmicrosoft.com/oauth2/v2.0"
    assert page(connector, values, "x")[""] == f"{home}/authorize"
    assert "offline_access" in {action.scope for action in connector.oauth2.always}
    network.post(f"{home}/token", json={"access_token": "t0ken"})
    assert exchange(connector, values).access_token == "t0ken"


def test_linkedin_gets_no_pkce_challenge(network) -> None:
    linkedin = CONNECTORS["linkedin"]
    assert not {"code_challenge", "code_challenge_method"} & page(linkedin, {}, "openid").keys()
    network.post(linkedin.oauth2.token_endpoint, json={"access_token": "t0ken"})
    exchange(linkedin, {})
    assert "code_verifier" not in form(network.calls[0].request)
