from __future__ import annotations

import pytest

from connectors.definitions.schema import KeptField
from connectors.errors import ServiceForbidden
from connectors.oauth2.token_response import kept_from_callback

ACCOUNTS = KeptField(
    name="accounts_server",
    source="callback",
    path="accounts-server",
    pattern=r"https://accounts\.zoho(cloud)?\.(com|eu|ca)",
    default="https://accounts.zoho.{region}",
)
REALM = KeptField(name="realm", source="callback", path="realmId", pattern="[0-9]{1,20}")


def test_it_works(make_connector) -> None:
    connector = make_connector(kept=(ACCOUNTS, REALM))
    query = {"accounts-server": "https://accounts.zohocloud.ca", "realmId": "42", "code": "c"}

    assert kept_from_callback(connector, query, {"region": "eu"}) == {
        "accounts_server": "https://accounts.zohocloud.ca",
        "realm": "42",
    }


def test_it_uses_the_default_for_a_missing_field(make_connector) -> None:
    connector = make_connector(kept=(ACCOUNTS,))

    assert kept_from_callback(connector, {"code": "c"}, {"region": "eu"}) == {
        "accounts_server": "https://accounts.zoho.eu"
    }


def test_it_refuses_a_default_that_does_not_match(make_connector) -> None:
    with pytest.raises(ServiceForbidden, match="“accounts_server”"):
        kept_from_callback(make_connector(kept=(ACCOUNTS,)), {}, {"region": "evil"})


def test_the_error_names_a_missing_field(make_connector) -> None:
    with pytest.raises(ServiceForbidden, match="Example did not send “realm”"):
        kept_from_callback(make_connector(kept=(REALM,)), {"code": "c"}, {})


@pytest.mark.parametrize(
    "sent",
    [
        "https://evil.example",
        "http://accounts.zoho.com",
        "https://accounts.zoho.com.evil.example",
        "https://accounts.zoho.com@evil.example",
        "https://accounts.zoho.com#evil.example",
        "https://accounts.zoho.com/",
        "https://accounts.zoho.com\n",
        "https://accounts.zoho.com\x00",
        "\thttps://accounts.zoho.com",
        "https://accountsXzoho.com",
        "//accounts.zoho.com",
        "http://169.254.169.254",
        "https://accounts.zoho.com" + " " * 100_000,
    ],
)
def test_it_refuses_a_foreign_host(make_connector, sent: str) -> None:
    with pytest.raises(ServiceForbidden, match="not one of its own addresses") as caught:
        kept_from_callback(
            make_connector(kept=(ACCOUNTS,)), {"accounts-server": sent}, {"region": "eu"}
        )
    assert sent[:20] not in str(caught.value)


def test_it_ignores_fields_of_the_token_response(make_connector) -> None:
    later = KeptField(name="api_domain", source="token", path="api_domain", pattern="x")

    assert kept_from_callback(make_connector(kept=(later,)), {"api_domain": "x"}, {}) == {}
