"""Parse token responses (RFC 6749 section 5), including those that differ from the RFC."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote, quote_plus

from connectors.definitions.schema import Connector, KeptField, OAuth2Auth
from connectors.definitions.templates import fill
from connectors.errors import (
    ClientRefused,
    CredentialRefused,
    ServiceError,
    ServiceForbidden,
    ServiceRefused,
    ServiceUnintelligible,
)
from connectors.http.http_client import ServiceResponse
from connectors.http.payloads import (
    as_text,
    is_error,
    parse_lifetime,
    parse_token_body,
    printable_line,
    split_scopes,
    value_at,
)
from connectors.oauth2.error_codes import advice

#: RFC 6749 appendix A.12: a token consists of visible characters and spaces.
_TOKEN = re.compile(r"[ -~]+")
#: Long words with a digit in an error text may be tokens that the service repeats.
_TOKEN_LIKE = re.compile(r"[A-Za-z0-9_+=~-]{24,}")
_DIGIT = re.compile(r"[0-9]")
_MASK = "•••"
#: Token types that need a key, in lower case: the client signs each request with it (DPoP,
#: RFC 9449; PoP, RFC 9200; MAC and HOTK, drafts). `N_A` is no access token (RFC 8693, 2.2.1).
_NEED_A_KEY = frozenset({"dpop", "hmac", "hotk", "mac", "n_a", "pop"})
#: How long a refresh token lasts has no standard name; these are Microsoft's and GitHub's,
#: Keycloak's, and Intuit's.
_REFRESH_LIFETIMES = (
    "refresh_token_expires_in",
    "refresh_expires_in",
    "x_refresh_token_expires_in",
)


@dataclass(frozen=True, kw_only=True)
class TokenResponse:
    """A successful token response. Lifetimes are seconds from now; ``None`` is unknown.

    ``scopes`` is ``None`` if the field is missing or empty: the requested scopes were granted, or,
    at a refresh, they did not change (RFC 6749 sections 5.1 and 6). It is empty if the definition
    says that an empty field means that nothing was granted. ``raw`` is the body.
    """

    access_token: str = field(repr=False)
    refresh_token: str = field(default="", repr=False)
    token_type: str = "Bearer"
    expires_in: int | None = None
    refresh_expires_in: int | None = None
    scopes: tuple[str, ...] | None = None
    kept: Mapping[str, str] = field(default_factory=dict)
    raw: bytes = field(default=b"", repr=False)


def parse_token_response(
    connector: Connector,
    oauth2: OAuth2Auth,
    response: ServiceResponse,
    *,
    values: Mapping[str, str],
    secrets: tuple[str, ...],
    refreshing: bool,
) -> TokenResponse:
    """Parse a token response; raise ``ServiceError`` if it is an error.

    The status is checked before the body, because an outage responds with HTML. ``secrets`` of the
    request are masked in error messages.
    """
    response.refuse_outage()
    try:
        document = parse_token_body(response.body)
    except ValueError:
        if response.status != 401 and not (refreshing and _ends_grant(oauth2, response)):
            raise response.unintelligible() from None
        document = {}
    tokens = _token_object(document, oauth2, refreshing=refreshing)
    failed = is_error(document, oauth2.error_when)
    if response.status >= 400 or failed or ("error" in document and not tokens.get("access_token")):
        raise error_for(connector, response, document, secrets=secrets, refreshing=refreshing)
    refresh_token = tokens.get("access_token" if oauth2.exchange else "refresh_token")
    expires_in = parse_lifetime(tokens.get("expires_in"))
    return TokenResponse(
        access_token=_token(connector.name, tokens.get("access_token")),
        refresh_token=_token(connector.name, refresh_token) if refresh_token else "",
        token_type=_token_type(connector.name, tokens.get("token_type")),
        expires_in=expires_in,
        refresh_expires_in=expires_in if oauth2.exchange else _refresh_lifetime(tokens),
        scopes=_scopes(tokens, oauth2),
        kept=_kept_from_response(connector, oauth2, document, values, required=not refreshing),
        raw=response.body,
    )


def _scopes(tokens: Mapping[str, object], oauth2: OAuth2Auth) -> tuple[str, ...] | None:
    value = tokens.get("scope", tokens.get("scopes"))
    scopes = split_scopes(value, oauth2.scope_separator)
    is_given = bool(scopes) or (oauth2.empty_scope_is_none and value is not None)
    return scopes if is_given else None


def _refresh_lifetime(tokens: Mapping[str, object]) -> int | None:
    lifetimes = (parse_lifetime(tokens.get(name)) for name in _REFRESH_LIFETIMES)
    return next((found for found in lifetimes if found), None)


def error_for(
    connector: Connector,
    response: ServiceResponse,
    document: Mapping[str, object],
    *,
    secrets: tuple[str, ...],
    refreshing: bool,
) -> ServiceRefused:
    """Return the error for an error response (RFC 6749 section 5.2)."""
    service, error = connector.name, document.get("error")
    nested = error if isinstance(error, Mapping) else document
    code = as_text(error) or as_text(nested.get("code")) or as_text(nested.get("status"))
    message = as_text(document.get("error_description")) or as_text(nested.get("message"))
    code, message = (
        printable_line(_masked(code, secrets), 60),
        printable_line(_masked(message, secrets), 200),
    )
    details = ": ".join(part for part in (code, message) if part)
    details = f" ({details})" if details else f" (status {response.status})"
    standard = connector.standard_code(code)
    client_refused = standard in {"invalid_client", "unauthorized_client"}
    grant_ended = refreshing and not client_refused and _ends_grant(connector.oauth2, response)
    if standard == "invalid_grant" or grant_ended:
        sentence = (
            f"{service} no longer accepts this authorization{details}: it was revoked there, has "
            "expired, or was renewed elsewhere."
            if refreshing
            else f"{service} did not accept its own authorization code{details}. A code works "
            "once and for a short time: press Authorize again."
        )
        return CredentialRefused(sentence, code=code, status=response.status)
    if client_refused or response.status == 401:
        return ClientRefused(
            f"{service} does not accept this console's OAuth client{details}. A super admin can "
            "fix its client ID and secret.",
            code=code,
            status=response.status,
        )
    sentence = f"{service} refused{details}.{advice(standard)}"
    return ServiceRefused(sentence, code=code, status=response.status)


def _ends_grant(oauth2: OAuth2Auth | None, response: ServiceResponse) -> bool:
    """Return whether the response means the end of the grant, by the definition."""
    return oauth2 is not None and any(
        end.matches(response.status, response.body) for end in oauth2.grant_ends
    )


def kept_from_callback(
    connector: Connector, query: Mapping[str, str], values: Mapping[str, str]
) -> dict[str, str]:
    """Return the fields of the callback that later requests need.

    Raise ``ServiceForbidden`` if a field does not match its pattern: it may decide which host gets
    the secrets (RFC 9700 section 4.4).
    """
    kept: dict[str, str] = {}
    for kept_field in connector.oauth2.kept if connector.oauth2 else ():
        if kept_field.source == "callback":
            value = query.get(kept_field.path, "") or _default(kept_field, {**values, **kept})
            kept[kept_field.name] = _validated(connector.name, kept_field, value)
    return kept


def _kept_from_response(
    connector: Connector,
    oauth2: OAuth2Auth,
    document: Mapping[str, object],
    values: Mapping[str, str],
    *,
    required: bool,
) -> dict[str, str]:
    """Return the kept fields of the response; at a refresh, only those that it contains."""
    kept: dict[str, str] = {}
    for kept_field in oauth2.kept:
        if kept_field.source != "token":
            continue
        value = as_text(value_at(document, kept_field.path))
        if not value and not required:
            continue
        try:
            value = value or _default(kept_field, {**values, **kept})
            kept[kept_field.name] = _validated(connector.name, kept_field, value)
        except ServiceError as error:
            error.certain = False  # the code or refresh token was used anyway
            raise
    return kept


def _default(kept_field: KeptField, values: Mapping[str, str]) -> str:
    return fill(kept_field.default, values) if kept_field.default else ""


def _validated(service: str, kept_field: KeptField, value: str) -> str:
    if not value:
        raise ServiceForbidden(
            f"{service} did not send “{kept_field.name}”, which is needed to call it."
        )
    if len(value) > 1000 or not re.fullmatch(kept_field.pattern, value):
        raise ServiceForbidden(
            f"What {service} sent as “{kept_field.name}” is not one of its own addresses or "
            "accounts, so nothing was sent there."
        )
    return value


def _token_object(
    document: Mapping[str, object], oauth2: OAuth2Auth, *, refreshing: bool
) -> Mapping[str, object]:
    """Return the object that contains the tokens.

    Slack nests the person's tokens in its first response, and sends them at the top level at a
    refresh. Tokens at the top level of the first response belong to the bot.
    """
    if not oauth2.token_path:
        return document
    nested = value_at(document, oauth2.token_path)
    if isinstance(nested, Mapping):
        return nested
    return document if refreshing else {}


def _token(service: str, value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ServiceUnintelligible(f"{service} answered without an access token.")
    if not _TOKEN.fullmatch(value):
        raise ServiceUnintelligible(f"{service} sent a token with characters that cannot be sent.")
    return value


def _token_type(service: str, value: object) -> str:
    """Return the token type; raise for types other than bearer (RFC 6749 section 7.1).

    Services use their own names for bearer tokens ("bot", "Zoho-oauthtoken"), so only types that
    are known to need a key are refused.
    """
    token_type = printable_line(value, 40) or "Bearer"
    if token_type.lower() in _NEED_A_KEY:
        # Sent as a bearer token, it would be refused, or exposed.
        raise ServiceUnintelligible(
            f"{service} issued a token of type “{token_type}”, which needs its own key. This "
            "console supports bearer tokens only. If the OAuth client is registered there for "
            f"“{token_type}” tokens, a super admin can register one for bearer tokens."
        )
    return token_type


def _masked(text: str, secrets: tuple[str, ...]) -> str:
    """Mask the secrets of the request and everything that looks like a token."""
    for secret in filter(None, secrets):
        for spelling in (secret, quote(secret, safe=""), quote_plus(secret)):
            text = text.replace(spelling, _MASK)
    # Search for a digit once for each word: a lookahead would search again at each letter.
    return _TOKEN_LIKE.sub(lambda run: _MASK if _DIGIT.search(run[0]) else run[0], text)
