"""Parse ``WWW-Authenticate``: refused credential or missing scope (RFC 6750 section 3.1)."""

from __future__ import annotations

import re
from collections.abc import Iterable

from connectors.definitions.schema import Connector

_INSUFFICIENT_SCOPE = re.compile(
    r"(?<![\w-])error\s*=\s*\"?insufficient_scope\"?(?![\w-])", re.IGNORECASE
)
#: The attribute ``scope`` of a challenge; ``error_description`` may contain the word, too.
_SCOPE = re.compile(r"(?:^|[\s,])scope\s*=\s*\"([^\"]{1,2000})\"", re.IGNORECASE)


def refuses_credential(connector: Connector, status: int, challenges: Iterable[str]) -> bool:
    """Return whether the API refused the credential itself.

    That is the case for 401 and for ``[check] refused_statuses``, unless a challenge says that only
    a scope is missing: a new token of the same grant would not have it either.
    ``challenges`` are the values of ``WWW-Authenticate``.
    """
    if status != 401 and status not in connector.check.refused_statuses:
        return False
    return not any(_INSUFFICIENT_SCOPE.search(value) for value in challenges)


def scopes_required(status: int, challenges: Iterable[str]) -> list[str]:
    """Return the scopes that a challenge with ``insufficient_scope`` names."""
    if status not in {401, 403}:
        return []
    for value in challenges:
        named = _SCOPE.search(value)
        if named and _INSUFFICIENT_SCOPE.search(value):
            return named[1].split()
    return []
