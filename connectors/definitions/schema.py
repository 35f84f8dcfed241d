"""What a connector is: frozen values read from ``catalogue/<slug>.toml``.

Nothing here touches a database, a request or the network. ``loader.py`` turns a
TOML file into these values and refuses what does not fit; ``registry.py`` hands them out.

A *template* is a string with ``{name}`` slots. A slot is filled from the
connection's parameters first and then from the fields kept in an authorization. The
address and path of the API and of the check may also name the fields of a ``basic`` or
``api_key`` credential that are not secret. A revocation endpoint may name ``{client_id}``, and
so may ``api_headers`` and the check's headers where OAuth 2 is the only way to authorize.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from connectors.definitions.grant_end import GrantEnd

AuthType = Literal["oauth2", "basic", "api_key"]
Level = Literal["administrator", "logged_in_user"]
TokenEndpointAuthMethod = Literal["client_secret_basic", "client_secret_post", "none"]


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """Something the developer states about his own account: a region, a tenant, a host.

    ``pattern`` is anchored: the whole value must match. ``choices`` maps values to
    labels and makes the field a select; then ``pattern`` is not needed.
    """

    name: str
    label: str
    help: str = ""
    pattern: str = ""
    choices: Mapping[str, str] = field(default_factory=dict)
    default: str = ""
    example: str = ""
    is_host: bool = False  # the value decides whom we speak to (see OAuthClient.host)

    def accepts(self, value: str) -> bool:
        """Tell whether ``value`` is allowed, as a whole."""
        if self.choices:
            return value in self.choices
        return re.fullmatch(self.pattern, value) is not None


@dataclass(frozen=True, kw_only=True)
class CredentialField:
    """One box of the credentials form of a ``basic`` or ``api_key`` connector."""

    name: str
    label: str
    help: str = ""
    secret: bool = True
    max_length: int = 8_192  # a JSON Web Token is a key, too


@dataclass(frozen=True, kw_only=True)
class ScopeAction:
    """One permission: the scope string and a sentence that says what it allows.

    ``includes`` names listed scopes that this one allows too. A service may leave them out
    of its answer although they were asked for, as GitHub does ("normalized scopes").
    """

    scope: str
    action: str  # "Read", "Create", ...
    sentence: str
    includes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ScopeModule:
    """Permissions that belong together, such as everything about Leads."""

    name: str
    actions: tuple[ScopeAction, ...]


@dataclass(frozen=True, kw_only=True)
class KeptField:
    """A field of the callback or of the token answer that later requests need.

    ``path`` is a dotted path into the answer (``team.id``). The value must match
    ``pattern`` as a whole, or the authorization is refused (security.md O27).
    ``default`` is a template used where the service did not send the field; with an
    empty default the field is required.
    """

    name: str
    source: Literal["callback", "token"]
    path: str
    pattern: str
    default: str = ""


@dataclass(frozen=True, kw_only=True)
class Signing:
    """Where the secret goes in a request to the API.

    ``value`` is a template over the secret fields of the credential, for instance
    ``Zoho-oauthtoken {access_token}``. ``basic_user`` and ``basic_password`` build RFC 7617;
    one of the two may be empty where the other is the key.
    """

    header: str = ""
    query: str = ""
    value: str = ""
    basic_user: str = ""
    basic_password: str = ""


@dataclass(frozen=True, kw_only=True)
class Revocation:
    """How a grant is revoked: RFC 7009 as it stands, or the service's own way.

    ``token`` says which tokens the service revokes when it is asked for each: ``both``;
    ``refresh_token`` where it takes that one only, so that the access token lives to its
    end; ``access_token`` where that one stands for the whole grant. Where there is no
    refresh token, the access token is sent. ``placed`` says where a token goes under the
    name ``parameter``. With ``path`` the endpoint template itself holds ``{token}``.
    """

    endpoint: str
    method: Literal["POST", "GET", "DELETE"] = "POST"
    token: Literal["both", "refresh_token", "access_token"] = "both"
    placed: Literal["form", "query", "json", "path", "bearer"] = "form"
    parameter: str = "token"
    token_type_hint: bool = True  # false where the service refuses what it does not know
    client_authentication: Literal["as_token_endpoint", "client_secret_basic", "none"] = (
        "as_token_endpoint"
    )

    @property
    def tokens_sent(self) -> tuple[str, ...]:
        """Name the tokens to send, the refresh token first: it may end the other one, too."""
        return ("refresh_token", "access_token") if self.token == "both" else (self.token,)

    @property
    def hints(self) -> bool:
        """Tell whether a request says which kind of token it holds (RFC 7009 section 2.1)."""
        return self.token_type_hint and self.placed == "form" and self.parameter == "token"


@dataclass(frozen=True, kw_only=True)
class TokenExchange:
    """How an access token is given away for one that lasts longer, while it still lives.

    For a service that gives no refresh token: the request holds ``grant_type``, the token as
    ``parameter`` and of the client what ``client`` names. Right after the code was exchanged
    the first token takes ``OAuth2.exchange``; each later one takes ``renewal``, where there is
    one, and else the same again.
    """

    endpoint: str
    grant_type: str
    parameter: str
    method: Literal["GET", "POST"] = "GET"
    client: tuple[Literal["client_id", "client_secret"], ...] = ("client_id", "client_secret")


@dataclass(frozen=True, kw_only=True)
class OAuth2Auth:
    """How a service speaks OAuth 2 (RFC 6749). Endpoints are templates."""

    authorization_endpoint: str
    token_endpoint: str
    refresh_endpoint: str = ""  # where it is another one than for codes
    exchange: TokenExchange | None = None
    renewal: TokenExchange | None = None
    revocation: Revocation | None = None
    issuer: str = ""  # compared with `iss` of the callback (RFC 9207) where either is there
    issuer_required: bool = False
    pkce: bool = True
    token_endpoint_auth_method: TokenEndpointAuthMethod = "client_secret_basic"
    token_request: Literal["form", "json"] = "form"  # how the token request is written
    client_id_parameter: str = "client_id"  # what the service calls the client's id
    token_parameters: Mapping[str, str] = field(default_factory=dict)  # sent with each code
    refresh_scope: bool = False  # a refresh must repeat the granted scopes
    grant_ends: tuple[GrantEnd, ...] = ()  # answers that mean `invalid_grant` at a refresh
    scope_separator: str = " "
    scope_parameter: str = "scope"
    empty_scope_is_none: bool = False  # an empty `scope` is no silence: nothing was granted
    authorize_parameters: Mapping[str, str] = field(default_factory=dict)
    token_path: str = ""  # dotted path to the object that holds the tokens ("authed_user")
    error_when: Mapping[str, str] = field(default_factory=dict)  # {"ok": "false"}: a failed 200
    modules: tuple[ScopeModule, ...] = ()
    all_actions: tuple[str, ...] = ()
    always: tuple[ScopeAction, ...] = ()  # asked for in every authorization, shown as locked
    typed_scopes: str = ""  # a pattern: scopes beyond the listed ones may be typed
    kept: tuple[KeptField, ...] = ()
    signing: Signing = Signing(header="Authorization", value="Bearer {access_token}")

    @cached_property
    def actions(self) -> Mapping[str, ScopeAction]:
        """Map each listed scope to its action, the fixed ones included."""
        listed = {a.scope: a for module in self.modules for a in module.actions}
        return {**{a.scope: a for a in self.always}, **listed}

    def missing(self, asked: Iterable[str], granted: Iterable[str]) -> tuple[str, ...]:
        """Name what was asked for and is not granted, neither by name nor by a wider scope."""
        held = set(granted)
        for scope in held & self.actions.keys():
            held.update(self.actions[scope].includes)
        return tuple(scope for scope in asked if scope not in held)


@dataclass(frozen=True, kw_only=True)
class BasicAuth:
    """User name and password (RFC 7617), whatever the service calls the two."""

    fields: tuple[CredentialField, ...]
    signing: Signing


@dataclass(frozen=True, kw_only=True)
class ApiKeyAuth:
    """A key, sometimes with a companion such as an account SID."""

    fields: tuple[CredentialField, ...]
    signing: Signing


@dataclass(frozen=True, kw_only=True)
class Check:
    """A harmless call that proves the credential and names the account.

    ``account`` and ``account_id`` are dotted paths into the JSON answer
    (``users.0.email``), empty where no answer names anybody; ``error_when`` as in ``OAuth2``.
    """

    method: Literal["GET", "POST"] = "GET"
    url: str = ""  # a template; empty means `Api.base_url` + path
    path: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""
    account: tuple[str, ...] = ()  # first path that holds something wins
    account_id: tuple[str, ...] = ()
    error_when: Mapping[str, str] = field(default_factory=dict)
    refused_statuses: tuple[int, ...] = ()  # which, beside 401, mean a dead credential anywhere


@dataclass(frozen=True, kw_only=True)
class RateLimit:
    """Headers by which a service says how many calls are left, empty where it has none.

    ``reset`` says when the count begins anew, in the unit of ``reset_unit``: seconds from
    now, or a moment counted from 1970 or written as a date.
    """

    limit: str = ""
    remaining: str = ""
    reset: str = ""
    reset_unit: Literal["seconds", "epoch_seconds", "epoch_milliseconds", "date"] = "seconds"


@dataclass(frozen=True, kw_only=True)
class Connector:
    """A service that connections can be made to."""

    slug: str
    name: str
    category: str
    summary: str
    aliases: tuple[str, ...] = ()
    documentation: str  # the service's own page about authentication
    scopes_documentation: str = ""  # and the one that lists its permissions
    sources: tuple[str, ...]
    read_on: str  # ISO date on which the sources were read
    registration: tuple[str, ...] = ()  # steps to register an OAuth client there
    levels: tuple[Level, ...] = ("administrator",)
    parameters: tuple[Parameter, ...] = ()
    api_base_url: str
    api_headers: Mapping[str, str] = field(default_factory=dict)
    #: Whether `Cookie` and `Set-Cookie` pass between programs and the API, which keeps a session
    #: in them. Such a session acts like the credential, so only where the API needs one.
    api_cookies: bool = False
    check: Check
    rate_limit: RateLimit = RateLimit()
    #: The service's own error codes, in lower case, and the codes of RFC 6749 they stand for.
    error_codes: Mapping[str, str] = field(default_factory=dict)
    oauth2: OAuth2Auth | None = None
    basic: BasicAuth | None = None
    api_key: ApiKeyAuth | None = None
    sandbox: bool = False  # offered only where the sandbox service is switched on

    @property
    def auth_types(self) -> tuple[AuthType, ...]:
        """Name the ways to authorize, the preferred one first."""
        offered: dict[AuthType, object] = {
            "oauth2": self.oauth2,
            "basic": self.basic,
            "api_key": self.api_key,
        }
        return tuple(way for way, settings in offered.items() if settings)

    def standard_code(self, code: str) -> str:
        """Translate an error code of this service into that of RFC 6749 section 5.2."""
        return self.error_codes.get(code.lower(), code)

    @property
    def names_its_client(self) -> bool:
        """Tell whether every request to the API says which OAuth client it comes from."""
        headers = (*self.api_headers.values(), *self.check.headers.values())
        return any("{client_id}" in template for template in headers)

    @property
    def own_host(self) -> bool:
        """Tell whether the developer types in whom the console speaks to."""
        return any(parameter.is_host for parameter in self.parameters)
