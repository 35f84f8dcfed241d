"""Which permissions of a connection no call has needed lately, as far as that can be told.

No definition says which call needs which scope, so what a scope allows has to tell: where
nothing was called, nothing was needed; where every call was a reading one, no permission
to write was.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db.models import Sum
from django.utils import timezone

from connections.models import Connection
from connections.models.authorization_site import AuthorizationSite
from connectors.definitions.schema import OAuth2Auth, ScopeAction
from console.accounts.models import User
from console.invocations.models import HourlyCount

DAYS = 30
READING = frozenset({"GET", "HEAD", "OPTIONS"})
#: Actions that a reading call never needs.
_CHANGES = frozenset({"Create", "Update", "Delete", "Send"})
#: Actions that often allow to read as well; not needed for it beside a permission to read.
_WRITES = frozenset({"Write", "Edit"})


@dataclass(frozen=True, kw_only=True)
class ScopeUsage:
    """What the calls of the last ``days`` say of the permissions of a connection.

    ``unneeded`` are those that none has needed; ``untold`` counts those of which it is not
    known. ``methods`` maps each method to how often it was called.
    """

    days: int
    methods: dict[str, int]
    unneeded: tuple[tuple[str, ScopeAction | None], ...]
    untold: int

    @property
    def calls(self) -> int:
        return sum(self.methods.values())

    @property
    def only_reads(self) -> bool:
        return self.calls > 0 and READING.issuperset(self.methods)


def need_of(connection: Connection, user: User) -> ScopeUsage | None:
    """Judge the permissions of a connection, or nothing where it has none to choose."""
    oauth2 = connection.connector.oauth2
    if connection.auth_type != "oauth2" or oauth2 is None:
        return None
    always = {action.scope for action in oauth2.always}
    chosen = [scope for scope in connection.scopes_asked if scope not in always]
    if not chosen:
        return None
    days = min(DAYS, settings.INVOCATION_DAYS)
    methods = _methods(connection, user, days)
    if not methods:
        unneeded = chosen
    elif READING.issuperset(methods):
        unneeded = [scope for scope in chosen if _only_writes(scope, chosen, oauth2)]
    else:
        unneeded = []
    return ScopeUsage(
        days=days,
        methods=methods,
        unneeded=tuple((scope, oauth2.actions.get(scope)) for scope in unneeded),
        untold=len(chosen) - len(unneeded),
    )


def _methods(connection: Connection, user: User, days: int) -> dict[str, int]:
    rows = HourlyCount.objects.visible_to(user).at(AuthorizationSite.of_connection(connection))
    rows = rows.filter(hour__gte=timezone.now() - timedelta(days=days))
    counted = rows.values_list("method").annotate(number=Sum("calls")).order_by("-number")
    return dict(counted)


def _only_writes(scope: str, chosen: Iterable[str], oauth2: OAuth2Auth) -> bool:
    action = oauth2.actions.get(scope)
    if action is None or action.includes:
        return False
    verb = action.action.partition(" ")[0]
    if verb in _CHANGES:
        return True
    beside = next((m.actions for m in oauth2.modules if action in m.actions), ())
    reads = {each.scope for each in beside if each.action.startswith("Read")}
    return verb in _WRITES and not reads.isdisjoint(chosen)
