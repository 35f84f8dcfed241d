"""How a service's token endpoint shows that a grant has ended, where it does not say so."""

from __future__ import annotations

import re
from dataclasses import dataclass

#: What a pattern is compared with; error answers are short.
_LONGEST = 4096
#: Statuses that pass by themselves: they never say anything about a grant.
PASSING = frozenset({408, 425, 429})


@dataclass(frozen=True, kw_only=True)
class GrantEnd:
    """One answer to a refresh that means that the grant has ended.

    RFC 6749 section 5.2 wants ``invalid_grant``; this is for services that answer with
    something else. The answer has this ``status``, and its body, without white space at
    both ends, matches the pattern ``body`` as a whole. An empty pattern means an empty body.
    """

    status: int
    body: str = ""

    def is_shown_by(self, status: int, body: bytes) -> bool:
        """Tell whether an answer is this one."""
        if status != self.status:
            return False
        text = body[:_LONGEST].decode("utf-8", "replace").strip()
        return re.fullmatch(self.body, text, re.DOTALL) is not None
