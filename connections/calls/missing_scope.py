"""Find out which scopes a call lacks, where the service's answer names them. Never guess.

Services name them in ``WWW-Authenticate`` (RFC 6750 section 3.1), or in the body as Slack does:
``{"ok": false, "error": "missing_scope", "needed": "channels:read"}``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from django.urls import reverse
from django.utils.http import urlencode

from connections.authorizations.connection_state import ConnectionState
from connectors.api.www_authenticate import scopes_required
from connectors.definitions.schema import OAuth2Auth


def missing_scopes(
    oauth2: OAuth2Auth | None,
    granted: Sequence[str],
    status: int,
    headers: Mapping[str, str],
    body: Any,
) -> tuple[str, ...]:
    """Return the scopes that the service asks for and has not granted.

    ``headers`` have names in lower case, and ``body`` is parsed JSON or text. Scopes that the
    definition of the service does not know are left out: nobody could choose them.
    """
    if oauth2 is None:
        return ()
    named = scopes_required(status, [headers.get("www-authenticate", "")]) or _needed(body)
    return tuple(
        scope for scope in dict.fromkeys(named) if scope not in granted and _is_known(oauth2, scope)
    )


def fix_of(state: ConnectionState, scopes: Sequence[str]) -> tuple[str, str]:
    """Return the URL and the label of what adds scopes to a connection, or empty strings.

    Only developers can change what a connection asks for.
    """
    if set(scopes) <= set(state.snapshot.scopes_asked):
        return state.authorize_url, "Reauthorize"
    if state.installed:
        return "", ""
    query = urlencode([("add", scope) for scope in scopes])
    page = reverse("connection_permissions", args=[state.connection])
    return f"{page}?{query}", "Change permissions"


def _needed(body: Any) -> list[str]:
    if not isinstance(body, dict) or body.get("error") != "missing_scope":
        return []
    needed = body.get("needed")
    return re.split(r"[\s,]+", needed.strip()) if isinstance(needed, str) else []


def _is_known(oauth2: OAuth2Auth, scope: str) -> bool:
    return scope in oauth2.actions or bool(
        oauth2.typed_scopes and re.fullmatch(oauth2.typed_scopes, scope)
    )
