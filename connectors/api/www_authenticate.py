"""Read `WWW-Authenticate`: is the credential refused, or a permission? (RFC 6750 section 3.1)"""

from __future__ import annotations

import re
from collections.abc import Iterable

from connectors.definitions.schema import Connector

_INSUFFICIENT_SCOPE = re.compile(
    r"(?<![\w-])error\s*=\s*\"?insufficient_scope\"?(?![\w-])", re.IGNORECASE
)


def refuses_credential(connector: Connector, status: int, challenges: Iterable[str]) -> bool:
    """Tell whether the API refuses the credential itself with this answer.

    401 does, and so do ``[check] refused_statuses``, unless a challenge says that only a
    permission is missing: another token of the same grant would not have it either.
    ``challenges`` are the values of ``WWW-Authenticate``.
    """
    if status != 401 and status not in connector.check.refused_statuses:
        return False
    return not any(_INSUFFICIENT_SCOPE.search(value) for value in challenges)
