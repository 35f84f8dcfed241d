"""The schema of connector definitions: dataclasses for ``catalogue/<slug>.toml``.

``loader.py`` parses a TOML file into these values and reports what does not fit;
``registry.py`` returns them by slug. Nothing here uses a database, a request or the network.

A *template* is a string with ``{name}`` slots. Slots are filled from the connection's parameters
and from the kept fields of its authorization. The URLs and paths of the API and of the check can
also use the fields of a ``basic`` or ``api_key`` credential that are not secret. A revocation
endpoint can use ``{client_id}``, and so can ``api_headers`` and the check's headers if OAuth 2 is
the only auth type.
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
    """A value that the developer enters about their account: a region, a tenant, a host.

    The whole value must match ``pattern``. ``choices`` maps values to labels; the form then shows a
    select, and no pattern is needed.
    """

    name: str
    label: str
    help: str = ""
    pattern: str = ""
    choices: Mapping[str, str] = field(default_factory=dict)
    default: str = ""
    example: str = ""
    is_host: bool = False  # the value is the host that is called (see OAuthClient.host)

    def accepts(self, value: str) -> bool:
        """Return whether ``value`` is allowed."""
        if self.choices:
            return value in self.choices
        return re.fullmatch(self.pattern, value) is not None


@dataclass(frozen=True, kw_only=True)
class CredentialField:
    """A field of the credentials form of a ``basic`` or ``api_key`` connector."""

    name: str
    label: str
    help: str = ""
    secret: bool = True
    max_length: int = 8_192  # enough for a JSON Web Token


@dataclass(frozen=True, kw_only=True)
class ScopeAction:
    """A permission: a scope, and a sentence that says what it allows.

    ``includes`` lists other scopes that this one covers. A service may leave them out of its
    response although they were requested, as GitHub does ("normalized scopes").
    """

    scope: str
    action: str  # "Read", "Create", ...
    sentence: str
    includes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ScopeModule:
    """A group of permissions, such as everything about Leads."""

    name: str
    actions: tuple[ScopeAction, ...]


@dataclass(frozen=True, kw_only=True)
class KeptField:
    """A field of the callback or the token response that later requests need.

    ``path`` is a dotted path into the response (``team.id``). If the whole value does not match
    ``pattern``, the authorization fails (security.md O27). ``default`` is a template for services
    that do not always send the field; without a default, the field is required.
    """

    name: str
    source: Literal["callback", "token"]
    path: str
    pattern: str
    default: str = ""


@dataclass(frozen=True, kw_only=True)
class Signing:
    """Where the secret goes in an API request.

    ``value`` is a template with the fields of the credential, such as
    ``Zoho-oauthtoken {access_token}``. ``basic_user`` and ``basic_password`` are for HTTP Basic
    (RFC 7617); one of them can be empty if the other is the key.
    """

    header: str = ""
    query: str = ""
    value: str = ""
    basic_user: str = ""
    basic_password: str = ""


@dataclass(frozen=True, kw_only=True)
class Revocation:
    """How a grant is revoked: by RFC 7009, or in the service's own way.

    ``token`` says which tokens to send: ``both``; ``refresh_token`` if the service accepts only
    that one, so that the access token works until it expires; ``access_token`` if that one
    revokes the whole grant. Without a refresh token, the access token is sent. ``placed`` says
    where the token goes, and ``parameter`` is its name. With ``path``, the endpoint contains
    ``{token}``.
    """

    endpoint: str
    method: Literal["POST", "GET", "DELETE"] = "POST"
    token: Literal["both", "refresh_token", "access_token"] = "both"
    placed: Literal["form", "query", "json", "path", "bearer"] = "form"
    parameter: str = "token"
    token_type_hint: bool = True  # false if the service rejects unknown parameters
    client_authentication: Literal["as_token_endpoint", "client_secret_basic", "none"] = (
        "as_token_endpoint"
    )

    @property
    def tokens_sent(self) -> tuple[str, ...]:
        """Return the tokens to send; the refresh token first, since it may end the other too."""
        return ("refresh_token", "access_token") if self.token == "both" else (self.token,)

    @property
    def hints(self) -> bool:
        """Return whether requests contain ``token_type_hint`` (RFC 7009 section 2.1)."""
        return self.token_type_hint and self.placed == "form" and self.parameter == "token"


@dataclass(frozen=True, kw_only=True)
class TokenExchange:
    """How a valid access token is exchanged for one that lives longer.

    For services without refresh tokens. The request contains ``grant_type``, the token as
    ``parameter``, and the parts of the client listed in ``client``. ``OAuth2Auth.exchange`` is used
    right after the code exchange; later exchanges use ``renewal`` if it is given.
    """

    endpoint: str
    grant_type: str
    parameter: str
    method: Literal["GET", "POST"] = "GET"
    client: tuple[Literal["client_id", "client_secret"], ...] = ("client_id", "client_secret")


@dataclass(frozen=True, kw_only=True)
class OAuth2Auth:
    """OAuth 2 settings of a service (RFC 6749). Endpoints are templates."""

    authorization_endpoint: str
    token_endpoint: str
    refresh_endpoint: str = ""  # if it differs from the token endpoint
    exchange: TokenExchange | None = None
    renewal: TokenExchange | None = None
    revocation: Revocation | None = None
    issuer: str = ""  # compared with `iss` of the callback (RFC 9207)
    issuer_required: bool = False
    pkce: bool = True
    token_endpoint_auth_method: TokenEndpointAuthMethod = "client_secret_basic"
    token_request: Literal["form", "json"] = "form"  # encoding of token requests
    client_id_parameter: str = "client_id"  # the service's name for the client ID
    token_parameters: Mapping[str, str] = field(
        default_factory=dict
    )  # sent with each code exchange
    refresh_scope: bool = False  # a refresh must repeat the granted scopes
    grant_ends: tuple[GrantEnd, ...] = ()  # responses to a refresh that mean `invalid_grant`
    scope_separator: str = " "
    scope_parameter: str = "scope"
    empty_scope_is_none: bool = False  # an empty `scope` means that nothing was granted
    authorize_parameters: Mapping[str, str] = field(default_factory=dict)
    token_path: str = ""  # dotted path to the object that holds the tokens ("authed_user")
    error_when: Mapping[str, str] = field(default_factory=dict)  # {"ok": "false"}: a failed 200
    modules: tuple[ScopeModule, ...] = ()
    all_actions: tuple[str, ...] = ()
    always: tuple[ScopeAction, ...] = ()  # requested in every authorization, shown as locked
    typed_scopes: str = ""  # a pattern for scopes that people can type in
    kept: tuple[KeptField, ...] = ()
    signing: Signing = Signing(header="Authorization", value="Bearer {access_token}")

    @cached_property
    def actions(self) -> Mapping[str, ScopeAction]:
        """Map each listed scope to its action, including those of ``always``."""
        listed = {a.scope: a for module in self.modules for a in module.actions}
        return {**{a.scope: a for a in self.always}, **listed}

    def missing(self, requested: Iterable[str], granted: Iterable[str]) -> tuple[str, ...]:
        """Return the requested scopes that were not granted, by name or by a wider scope."""
        covered = set(granted)
        for scope in covered & self.actions.keys():
            covered.update(self.actions[scope].includes)
        return tuple(scope for scope in requested if scope not in covered)


@dataclass(frozen=True, kw_only=True)
class BasicAuth:
    """User name and password (RFC 7617), under any names."""

    fields: tuple[CredentialField, ...]
    signing: Signing


@dataclass(frozen=True, kw_only=True)
class ApiKeyAuth:
    """An API key, sometimes with another value such as an account SID."""

    fields: tuple[CredentialField, ...]
    signing: Signing


@dataclass(frozen=True, kw_only=True)
class Check:
    """A harmless call that tests the credential and returns the account's name.

    ``account`` and ``account_id`` are dotted paths into the JSON response (``users.0.email``), or
    empty if the service has no such call. ``error_when`` as in ``OAuth2Auth``.
    """

    method: Literal["GET", "POST"] = "GET"
    url: str = ""  # a template; empty means `api_base_url` + path
    path: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""
    account: tuple[str, ...] = ()  # the first path with a value is used
    account_id: tuple[str, ...] = ()
    error_when: Mapping[str, str] = field(default_factory=dict)
    refused_statuses: tuple[int, ...] = ()  # mean an invalid credential, besides 401


@dataclass(frozen=True, kw_only=True)
class RateLimit:
    """Rate limit headers of the service; empty if it has none.

    ``reset`` says when the limit resets, in ``reset_unit``: seconds from now, a Unix time in
    seconds or milliseconds, or a date.
    """

    limit: str = ""
    remaining: str = ""
    reset: str = ""
    reset_unit: Literal["seconds", "epoch_seconds", "epoch_milliseconds", "date"] = "seconds"


@dataclass(frozen=True, kw_only=True)
class Connector:
    """The definition of a service."""

    slug: str
    name: str
    category: str
    summary: str
    aliases: tuple[str, ...] = ()
    documentation: str  # the service's page about authentication
    scopes_documentation: str = ""  # the page that lists its scopes
    sources: tuple[str, ...]
    read_on: str  # ISO date on which the sources were read
    registration: tuple[str, ...] = ()  # steps to register an OAuth client
    levels: tuple[Level, ...] = ("administrator",)
    parameters: tuple[Parameter, ...] = ()
    api_base_url: str
    api_headers: Mapping[str, str] = field(default_factory=dict)
    #: Pass `Cookie` and `Set-Cookie` between programs and the API. Only for an API that needs a
    #: session, because the session then works like the credential.
    api_cookies: bool = False
    check: Check
    rate_limit: RateLimit = RateLimit()
    #: The service's own error codes, in lower case, with the code of RFC 6749 that they mean.
    error_codes: Mapping[str, str] = field(default_factory=dict)
    oauth2: OAuth2Auth | None = None
    basic: BasicAuth | None = None
    api_key: ApiKeyAuth | None = None
    sandbox: bool = False  # offered only if SANDBOX_URL is set

    @property
    def auth_types(self) -> tuple[AuthType, ...]:
        """Return the auth types, the preferred one first."""
        offered: dict[AuthType, object] = {
            "oauth2": self.oauth2,
            "basic": self.basic,
            "api_key": self.api_key,
        }
        return tuple(auth_type for auth_type, settings in offered.items() if settings)

    def standard_code(self, code: str) -> str:
        """Return the code of RFC 6749 section 5.2 for an error code of this service."""
        return self.error_codes.get(code.lower(), code)

    @property
    def names_its_client(self) -> bool:
        """Return whether API requests contain the OAuth client's ID."""
        headers = (*self.api_headers.values(), *self.check.headers.values())
        return any("{client_id}" in template for template in headers)

    @property
    def own_host(self) -> bool:
        """Return whether the developer enters the host that is called."""
        return any(parameter.is_host for parameter in self.parameters)
