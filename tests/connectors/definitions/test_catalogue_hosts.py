"""The hosts that catalogue connectors call, and that no value can change."""

from __future__ import annotations

import re

import pytest

from connectors.definitions.templates import fill_url
from tests.connectors.definitions.test_catalogue import CONNECTORS, kept

OWN_HOSTS = {
    "apache_airflow", "directus", "elasticsearch", "ghost", "gitea", "gitlab", "grafana", "jenkins",
    "jupyterhub", "mastodon", "nextcloud", "openproject", "pretix", "rabbitmq_management",
    "redmine", "sonarqube", "strapi", "woocommerce", "wordpress_application_password",
}  # fmt: skip


def test_only_self_hosted_services_ask_for_a_host() -> None:
    own = {connector.slug for connector in CONNECTORS.values() if connector.own_host}
    assert own == OWN_HOSTS


@pytest.mark.parametrize("slug", ["rabbitmq_management", "jupyterhub", "gitlab", "grafana"])
@pytest.mark.parametrize(
    ("host", "accepted"),
    [
        ("hub.example.com", True),
        ("hub.example.com:8443", True),
        ("localhost:15672", True),
        ("10.0.0.7:15672", True),
        ("", False),
        ("hub.example.com:", False),
        ("hub.example.com/", False),
        ("hub.example.com/../x", False),
        ("a@hub.example.com", False),
        ("hub.example.com#", False),
        ("hub.example.com?x", False),
        ("hub.example.com\\x", False),
        ("hub example.com", False),
        ("https://hub.example.com", False),
        (".example.com", False),
        ("hub..example.com", False),
        ("hub.example.com:123456", False),
    ],
)
def test_an_entered_host_is_a_host_and_a_port(slug: str, host: str, accepted: bool) -> None:
    parameters = {parameter.name: parameter for parameter in CONNECTORS[slug].parameters}
    assert parameters["host"].accepts(host) is accepted


@pytest.mark.parametrize(
    ("data_center", "accounts", "api"),
    [
        ("zoho.com", "https://accounts.zoho.com", "https://www.zohoapis.com"),
        ("zoho.eu", "https://accounts.zoho.eu", "https://www.zohoapis.eu"),
        ("zoho.in", "https://accounts.zoho.in", "https://www.zohoapis.in"),
        ("zoho.com.au", "https://accounts.zoho.com.au", "https://www.zohoapis.com.au"),
        ("zoho.jp", "https://accounts.zoho.jp", "https://www.zohoapis.jp"),
        ("zohocloud.ca", "https://accounts.zohocloud.ca", "https://www.zohoapis.ca"),
        ("zoho.sa", "https://accounts.zoho.sa", "https://www.zohoapis.sa"),
        ("zoho.uk", "https://accounts.zoho.uk", "https://www.zohoapis.uk"),
        ("zoho.com.cn", "https://accounts.zoho.com.cn", "https://www.zohoapis.com.cn"),
    ],
)
def test_every_data_center_of_zoho_has_its_hosts(data_center: str, accounts: str, api: str) -> None:
    for slug in ("zoho_crm", "zoho_projects"):
        (parameter,) = CONNECTORS[slug].parameters
        assert parameter.accepts(data_center)
        field = kept(slug, "accounts_server")
        assert fill_url(field.default, {"data_center": data_center}) == accounts
        assert re.fullmatch(field.pattern, accounts)
    assert re.fullmatch(kept("zoho_crm", "api_domain").pattern, api)


@pytest.mark.parametrize("slug", [slug for slug in CONNECTORS if slug.startswith("zoho_")])
def test_zoho_has_its_own_authorization_scheme(slug: str) -> None:
    oauth2 = CONNECTORS[slug].oauth2
    assert oauth2 is not None
    assert oauth2.signing.value == "Zoho-oauthtoken {access_token}"
    assert oauth2.scope_separator == ","


@pytest.mark.parametrize(
    ("host", "accepted"),
    [
        ("login.salesforce.com", True),
        ("test.salesforce.com", True),
        ("acme.my.salesforce.com", True),
        ("acme--uat.sandbox.my.salesforce.com", True),
        ("salesforce.com", False),
        ("evil.salesforce.com", False),
        ("login.salesforce.com.evil.example", False),
        ("evil.example/.my.salesforce.com", False),
        ("loginXsalesforce.com", False),
    ],
)
def test_salesforce_login_hosts_belong_to_salesforce(host: str, accepted: bool) -> None:
    (parameter,) = CONNECTORS["salesforce"].parameters
    assert parameter.accepts(host) is accepted
