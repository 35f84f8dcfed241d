"""The display state of an authorization, the same on every page and in the runtime API."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from connections.models.credential import Credential
from connectors.definitions.schema import OAuth2Auth


@dataclass(frozen=True, kw_only=True)
class DisplayState:
    """A state that the template tag ``state`` knows by its ``name``, and the facts it shows."""

    name: str
    scopes_asked: tuple[str, ...] = ()
    scopes_missing: tuple[str, ...] = ()
    account: str = ""
    reauthorize_by: datetime | None = None

    @classmethod
    def of(
        cls,
        state: str | None,
        credential: Credential | None,
        *,
        needed: tuple[str, ...],
        oauth2: OAuth2Auth | None,
        disabled: bool = False,
    ) -> DisplayState:
        """Derive the display state from the stored ``state``, or ``None`` for no authorization.

        A stored state other than ``active`` is shown as it is. An active authorization is shown
        as ``needs_authorization``, ``permissions_missing`` or ``expiring`` where that is so. A
        disabled connection is shown as that, whatever its authorization.
        """
        if disabled:
            return cls._with_account("disabled", credential)
        if state is not None and state != "active":
            return cls._with_account(state, credential)
        if credential is None or credential.has_ended:
            return cls._with_account("needs_authorization", credential)
        missing = oauth2.missing(needed, credential.scopes_granted) if oauth2 else ()
        if missing:
            return cls(
                name="permissions_missing", scopes_asked=needed, scopes_missing=tuple(missing)
            )
        return cls._with_account("expiring" if credential.is_expiring else "active", credential)

    @classmethod
    def _with_account(cls, name: str, credential: Credential | None) -> DisplayState:
        if credential is None:
            return cls(name=name)
        return cls(name=name, account=credential.label, reauthorize_by=credential.reauthorize_by)

    @property
    def works(self) -> bool:
        """Tell whether calls can be made with all the permissions that they need."""
        return self.name in {"active", "expiring"}

    @property
    def facts(self) -> dict[str, Any]:
        """Return the arguments of the template tag ``state``."""
        if self.name == "permissions_missing":
            missing, asked = len(self.scopes_missing), len(self.scopes_asked)
            return {"name": self.name, "missing": missing, "asked": asked}
        return {"name": self.name, "account": self.account, "expires_at": self.reauthorize_by}
