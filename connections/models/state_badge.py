"""Color, icon and word of each state of an authorization, the same on every page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class StateBadge:
    """Color, icon and text of a state; ``detailed`` is used if all its placeholders are known.

    ``sign`` replaces the icon where a page can draw none, as in the map of an application.
    """

    tone: str
    icon: str
    sign: str
    words: str
    detailed: str = "{words}"

    def text(self, facts: Mapping[str, Any]) -> str:
        """Return the text for these facts."""
        known = {name: fact for name, fact in facts.items() if fact not in (None, "")}
        try:
            return self.detailed.format(words=self.words, **known)
        except KeyError:
            return self.words


#: The states of an authorization, the most urgent first. Lists, filters and pages use this order.
AUTHORIZATION_STATES: Mapping[str, StateBadge] = {
    "needs_authorization": StateBadge(tone="red", icon="plug", sign="✕", words="Not authorized"),
    "unknown_outcome": StateBadge(
        tone="amber", icon="help-circle", sign="?", words="Outcome unknown"
    ),
    "suspended": StateBadge(tone="amber", icon="clock", sign="∥", words="Suspended"),
    "revoked": StateBadge(tone="grey", icon="circle-minus", sign="⊘", words="Revoked"),
    "disabled": StateBadge(tone="grey", icon="player-pause", sign="⏸", words="Disabled"),
    "permissions_missing": StateBadge(
        tone="amber",
        icon="puzzle",
        sign="!",
        words="Permissions missing",
        detailed="Permissions missing: {missing} of {asked}",
    ),
    "expiring": StateBadge(
        tone="amber", icon="clock", sign="◷", words="Expires soon", detailed="Expires {expires}"
    ),
    "active": StateBadge(
        tone="green",
        icon="circle-check",
        sign="✓",
        words="Authorized",
        detailed="Authorized as {account}",
    ),
}

#: Also the states of a connection that has no authorization yet.
STATES: Mapping[str, StateBadge] = {
    **AUTHORIZATION_STATES,
    "draft": StateBadge(tone="grey", icon="pencil", sign="…", words="Draft"),
    "authorizing": StateBadge(tone="blue", icon="loader-2", sign="…", words="Being authorized"),
}

#: Position of each state in that order.
URGENCY: Mapping[str, int] = {name: place for place, name in enumerate(AUTHORIZATION_STATES)}
