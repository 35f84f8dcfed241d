"""Copies of a connector, each with one fault that a real definition could have."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from connectors.definitions.schema import Connector, Signing
from tests.connectors.battery.examples import known_scopes

Break = Callable[[Connector], Connector | None]

FAULTS: dict[str, Break] = {}


def fault(name: str) -> Callable[[Break], Break]:
    """Register a function that breaks a connector, or returns None if it does not apply."""

    def add(breaks: Break) -> Break:
        FAULTS[name] = breaks
        return breaks

    return add


def in_oauth2(name: str, **changes: Callable[[Any], Any]) -> None:
    """Add a fault that changes fields of ``[oauth2]``, given the whole table."""

    def breaks(connector: Connector) -> Connector | None:
        if connector.oauth2 is None:
            return None
        changed = {field: change(connector.oauth2) for field, change in changes.items()}
        oauth2 = replace(connector.oauth2, **changed)
        return None if oauth2 == connector.oauth2 else replace(connector, oauth2=oauth2)

    FAULTS[name] = breaks


def in_revocation(name: str, **changes: Callable[[Any], Any]) -> None:
    def revocation(oauth2: Any) -> Any:
        settings = oauth2.revocation
        return settings and replace(
            settings, **{field: change(settings) for field, change in changes.items()}
        )

    in_oauth2(name, revocation=revocation)


def in_exchange(name: str, **changes: Any) -> None:
    in_oauth2(name, exchange=lambda o: o.exchange and replace(o.exchange, **changes))


def in_kept(name: str, **changes: Any) -> None:
    in_oauth2(name, kept=lambda o: tuple(replace(field, **changes) for field in o.kept))


def in_check(name: str, **changes: Callable[[Any], Any]) -> None:
    def breaks(connector: Connector) -> Connector | None:
        changed = {field: change(connector.check) for field, change in changes.items()}
        check = replace(connector.check, **changed)
        return None if check == connector.check else replace(connector, check=check)

    FAULTS[name] = breaks


def in_signing(name: str, change: Callable[[Signing], Signing]) -> None:
    """Add a fault in the authentication of API requests, for the first auth type."""

    def breaks(connector: Connector) -> Connector | None:
        auth_type = connector.auth_types[0]
        settings = getattr(connector, auth_type)
        signing = change(settings.signing)
        if signing == settings.signing:
            return None
        return replace(connector, **{auth_type: replace(settings, signing=signing)})

    FAULTS[name] = breaks


OTHER_HOST = "https://elsewhere.example"
BASIC, POST = "client_secret_basic", "client_secret_post"


@fault("a wrong separator")
def wrong_separator(connector: Connector) -> Connector | None:
    oauth2 = connector.oauth2
    if oauth2 is None or len(known_scopes(connector)) < 2:
        return None
    other = " " if oauth2.scope_separator == "," else ","
    return replace(connector, oauth2=replace(oauth2, scope_separator=other))


@fault("a wrong scope parameter")
def wrong_scope_parameter(connector: Connector) -> Connector | None:
    if connector.oauth2 is None or not known_scopes(connector):
        return None
    return replace(connector, oauth2=replace(connector.oauth2, scope_parameter="scopes"))


@fault("headers of the API left out")
def no_headers(connector: Connector) -> Connector | None:
    return replace(connector, api_headers={}) if connector.api_headers else None


@fault("another API")
def another_api(connector: Connector) -> Connector | None:
    return replace(connector, api_base_url=OTHER_HOST)


@fault("another version of the API")
def another_version(connector: Connector) -> Connector | None:
    return replace(connector, api_base_url=connector.api_base_url + "/v0")


in_oauth2(
    "swapped endpoints",
    authorization_endpoint=lambda o: o.token_endpoint.replace("{accounts_server}", OTHER_HOST),
    token_endpoint=lambda o: o.authorization_endpoint,
)
in_oauth2("another token endpoint", token_endpoint=lambda o: o.token_endpoint + "s")
in_oauth2("another authorization endpoint", authorization_endpoint=lambda o: OTHER_HOST)
in_oauth2(
    "wrong client authentication",
    token_endpoint_auth_method=lambda o: POST if o.token_endpoint_auth_method == BASIC else BASIC,
)
in_oauth2("no client authentication", token_endpoint_auth_method=lambda o: "none")
in_oauth2("PKCE reversed", pkce=lambda o: not o.pkce)
in_oauth2("no authorization parameters", authorize_parameters=lambda o: {})
in_oauth2("tokens not nested", token_path=lambda o: "")
in_oauth2("tokens nested elsewhere", token_path=lambda o: o.token_path and "elsewhere")
in_oauth2("a 200 taken for a yes", error_when=lambda o: {})
in_oauth2("another issuer", issuer=lambda o: o.issuer and OTHER_HOST)
in_oauth2("a form for JSON, or JSON for a form", token_request=lambda o: _other_writing(o))
in_oauth2("another name of the client", client_id_parameter=lambda o: "app_id")
in_oauth2("nothing added to the code", token_parameters=lambda o: {})
in_oauth2("refreshed at the token endpoint", refresh_endpoint=lambda o: "")
in_oauth2("scopes left out of a refresh", refresh_scope=lambda o: False)
in_oauth2("the end of a grant overlooked", grant_ends=lambda o: ())
in_oauth2("no exchange", exchange=lambda o: None)
in_oauth2("no renewal", renewal=lambda o: None)
in_exchange("another grant", grant_type="urn:other")
in_exchange("the token by another name", parameter="token")
in_exchange("the client not named", client=("client_secret",))
in_oauth2("no revocation", revocation=lambda o: None)
in_revocation("revoked elsewhere", endpoint=lambda r: r.endpoint + "/x")
in_revocation(
    "a token placed elsewhere",
    placed=lambda r: "form" if r.placed != "form" else "json",
)
in_revocation("a token by another name", parameter=lambda r: _if_named(r))
in_revocation(
    "another token revoked",
    token=lambda r: "access_token" if r.token != "access_token" else "both",
)
in_revocation("revoked by another method", method=lambda r: _other_method(r))
in_revocation(
    "another client authentication to revoke",
    client_authentication=lambda r: _other_authentication(r),
)
in_kept("kept fields that fit nothing", pattern="nothing-like-that")
in_kept("kept fields from elsewhere", path="nowhere", default="")
in_oauth2("nothing kept", kept=lambda o: ())
in_check(
    "a wrong check path", path=lambda c: c.path and "/wrong", url=lambda c: c.url and OTHER_HOST
)
in_check("a check by another method", method=lambda c: "POST" if c.method == "GET" else "GET")
in_check("a check without its body", body=lambda c: "")
in_check("a check without its headers", headers=lambda c: {})
in_check("another account", account=lambda c: c.account and ("nobody.at.all",))
in_check("another identifier", account_id=lambda c: c.account_id and ("nobody.at.all",))
in_check("an error of status 200 overlooked", error_when=lambda c: {})
in_signing("a wrong header", lambda s: replace(s, header="X-Other") if not s.query else s)
in_signing(
    "a wrong word before the token", lambda s: replace(s, value=s.value and f"Tok {s.value}")
)
in_signing(
    "a query for a header, or a header for a query",
    lambda s: (
        replace(s, query="key" if s.header else "", header="" if s.header else "X-Key")
        if s.value
        else s
    ),
)
in_signing(
    "user and password swapped",
    lambda s: replace(s, basic_user=s.basic_password, basic_password=s.basic_user),
)


def _other_writing(oauth2: Any) -> str:
    return "json" if oauth2.token_request == "form" else "form"


def _if_named(revocation: Any) -> str:
    named = revocation.placed in ("form", "json", "query")
    return "that" if named else str(revocation.parameter)


def _other_method(revocation: Any) -> str:
    return "POST" if revocation.method != "POST" else "GET"


def _other_authentication(revocation: Any) -> str:
    if revocation.placed == "bearer":  # the token takes the place of the client authentication
        return str(revocation.client_authentication)
    return "as_token_endpoint" if revocation.client_authentication == "none" else "none"
