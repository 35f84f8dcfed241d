"""Parse ``WWW-Authenticate``: refused credential or missing scope (RFC 6750 section 3.1)."""

from __future__ import annotations

import re
from collections.abc import Iterable

from connectors.definitions.schema import Connector

_INSUFFICIENT_SCOPE = re.compile(
    r"(?<![\w-])error\s*=\s*\"?insufficient_scope\"?(?![\w-])", re.IGNORECASE
)


def refuses_credential(connector: Connector, status: int, challenges: Iterable[str]) -> bool:
    """Return whether the API refused the credential itself.

    That is the case for 401 and for ``[check] refused_statuses``, unless a challenge says that only
    a scope is missing: a new token of the same grant would not have it either.
    ``challenges`` are the values of ``WWW-Authenticate``.
    """
    if status != 401 and status not in connector.check.refused_statuses:
        return False
    return not any(_INSUFFICIENT_SCOPE.search(value) for value in challenges)
