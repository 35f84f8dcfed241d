"""The disablement of a connection: who disabled it, when and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, kw_only=True)
class Disablement:
    """A connection was switched off by a developer. It keeps its authorizations."""

    at: datetime
    by: str = ""
    reason: str = ""

    @property
    def sentence(self) -> str:
        """Say who disabled the connection, and why."""
        by = f" by {self.by}" if self.by else ""
        end = "" if self.reason.endswith((".", "!", "?")) else "."
        return f"Disabled{by}: {self.reason}{end}" if self.reason else f"Disabled{by}."

    def message(self, connection: str) -> str:
        """Return the sentences that programs and people get instead of a call."""
        reason = f" Reason: “{self.reason}”." if self.reason else ""
        return (
            f"{connection} is disabled, so nothing was sent.{reason} A developer of the "
            "application can enable it again."
        )
