from __future__ import annotations

import pytest

from connectors.api.auth_strategies import AUTH_TYPES
from connectors.definitions.schema import (
    ApiKeyAuth,
    BasicAuth,
    Connector,
    CredentialField,
    OAuth2Auth,
    Signing,
)
from connectors.errors import ServiceForbidden
from tests.connectors.conftest import example_connector

USER = CredentialField(name="user", label="User name", secret=False)
PASSWORD = CredentialField(name="password", label="Password")
KEY = CredentialField(name="key", label="Key")


def connector(signing: Signing) -> Connector:
    return example_connector(
        oauth2=OAuth2Auth(
            authorization_endpoint="https://example.com/a",
            token_endpoint="https://example.com/t",
            signing=signing,
        ),
        basic=BasicAuth(fields=(USER, PASSWORD), signing=signing),
        api_key=ApiKeyAuth(fields=(KEY,), signing=signing),
    )


BASIC = Signing(header="Authorization", basic_user="{user}", basic_password="{password}")


def test_it_lists_the_fields_of_the_credentials_form() -> None:
    offered = connector(BASIC)

    assert {t: s.redirects for t, s in AUTH_TYPES.items()} == {
        "oauth2": True,
        "basic": False,
        "api_key": False,
    }
    assert AUTH_TYPES["oauth2"].fields(offered) == ()
    assert AUTH_TYPES["basic"].fields(offered) == (USER, PASSWORD)
    assert AUTH_TYPES["api_key"].fields(offered) == (KEY,)
    assert AUTH_TYPES["api_key"].settings_for(offered) is offered.api_key


def test_it_refuses_an_auth_type_that_the_connector_does_not_offer() -> None:
    offered = connector(BASIC)
    object.__setattr__(offered, "basic", None)

    with pytest.raises(LookupError, match="example"):
        AUTH_TYPES["basic"].fields(offered)


@pytest.mark.parametrize("auth_type", AUTH_TYPES)
@pytest.mark.parametrize(
    ("signing", "secret", "headers", "params"),
    [
        (
            Signing(header="Authorization", value="Zoho-oauthtoken {access_token}"),
            {"access_token": "1000.abc", "refresh_token": "never sent"},
            {"Authorization": "Zoho-oauthtoken 1000.abc"},
            {},
        ),
        (Signing(header="X-API-Key", value="{key}"), {"key": "k-1"}, {"X-API-Key": "k-1"}, {}),
        (Signing(query="api_key", value="{key}"), {"key": "k 1"}, {}, {"api_key": "k 1"}),
        (
            BASIC,  # the example of RFC 7617 section 2
            {"user": "Aladdin", "password": "open sesame"},
            {"Authorization": "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="},
            {},
        ),
        (
            BASIC,  # section 2.1
            {"user": "test", "password": "123£"},
            {"Authorization": "Basic dGVzdDoxMjPCow=="},
            {},
        ),
        (
            Signing(basic_user="{key}"),
            {"key": "sk_1"},
            {"Authorization": "Basic c2tfMTo="},
            {},
        ),
    ],
)
def test_it_signs(auth_type, signing, secret, headers, params) -> None:
    signed = AUTH_TYPES[auth_type].sign(connector(signing), secret)

    assert (signed.headers, signed.params) == (headers, params)
    assert not any(value in repr(signed) for value in secret.values())


def test_it_refuses_a_user_name_with_a_colon() -> None:
    with pytest.raises(ServiceForbidden, match="cannot contain a colon"):
        AUTH_TYPES["basic"].sign(connector(BASIC), {"user": "a:b", "password": "c"})


def test_it_refuses_an_empty_credential() -> None:
    with pytest.raises(ServiceForbidden, match="“password”"):
        AUTH_TYPES["basic"].sign(connector(BASIC), {"user": "a", "password": ""})
