"""Responses of token endpoints that mean the end of a grant, besides ``invalid_grant``."""

from __future__ import annotations

import re
from dataclasses import dataclass

#: How much of a body is compared with a pattern; error responses are short.
_MAX_BODY_LENGTH = 4096
#: Temporary errors: these statuses say nothing about a grant.
TEMPORARY_STATUSES = frozenset({408, 425, 429})


@dataclass(frozen=True, kw_only=True)
class GrantEnd:
    """A response to a refresh that means that the grant has ended.

    RFC 6749 section 5.2 requires ``invalid_grant``; this is for services that respond differently.
    The response has this ``status``, and its whole body, without whitespace at both ends, matches
    the pattern ``body``. An empty pattern means an empty body.
    """

    status: int
    body: str = ""

    def matches(self, status: int, body: bytes) -> bool:
        """Return whether a response is this one."""
        if status != self.status:
            return False
        text = body[:_MAX_BODY_LENGTH].decode("utf-8", "replace").strip()
        return re.fullmatch(self.body, text, re.DOTALL) is not None
