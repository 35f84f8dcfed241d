"""Find the scopes of a connection that no recent call has needed.

Definitions do not say which call needs which scope, so this is inferred from what a scope
allows. Without calls, no scope was needed. If every call only read, no scope that only allows
writing was needed.
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
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
#: Actions that a call with a safe method never needs.
_CHANGES = frozenset({"Create", "Update", "Delete", "Send"})
#: Actions that often allow reading as well. If the connection also has a scope to read, calls
#: that only read do not need these.
_WRITES = frozenset({"Write", "Edit"})


@dataclass(frozen=True, kw_only=True)
class ScopeUsage:
    """Which scopes of a connection the calls of the last ``days`` have needed.

    ``unused`` holds the scopes that no call needed. ``unknown`` counts the scopes that may or
    may not have been needed. ``methods`` maps each HTTP method to its number of calls.
    """

    days: int
    methods: dict[str, int]
    unused: tuple[tuple[str, ScopeAction | None], ...]
    unknown: int

    @property
    def calls(self) -> int:
        return sum(self.methods.values())

    @property
    def only_reads(self) -> bool:
        return self.calls > 0 and SAFE_METHODS.issuperset(self.methods)


def scope_usage(connection: Connection, user: User) -> ScopeUsage | None:
    """Return how the scopes of a connection are used, or None if it has no optional scopes."""
    oauth2 = connection.connector.oauth2
    if connection.auth_type != "oauth2" or oauth2 is None:
        return None
    always = {action.scope for action in oauth2.always}
    chosen = [scope for scope in connection.scopes_asked if scope not in always]
    if not chosen:
        return None
    days = min(DAYS, settings.INVOCATION_DAYS)
    methods = _calls_by_method(connection, user, days)
    if not methods:
        unused = chosen
    elif SAFE_METHODS.issuperset(methods):
        unused = [scope for scope in chosen if _only_writes(scope, chosen, oauth2)]
    else:
        unused = []
    return ScopeUsage(
        days=days,
        methods=methods,
        unused=tuple((scope, oauth2.actions.get(scope)) for scope in unused),
        unknown=len(chosen) - len(unused),
    )


def _calls_by_method(connection: Connection, user: User, days: int) -> dict[str, int]:
    rows = HourlyCount.objects.visible_to(user).at(AuthorizationSite.of_connection(connection))
    rows = rows.filter(hour__gte=timezone.now() - timedelta(days=days))
    return dict(rows.values_list("method").annotate(number=Sum("calls")).order_by("-number"))


def _only_writes(scope: str, chosen: Iterable[str], oauth2: OAuth2Auth) -> bool:
    action = oauth2.actions.get(scope)
    if action is None or action.includes:
        return False
    verb = action.action.partition(" ")[0]
    if verb in _CHANGES:
        return True
    siblings = next((m.actions for m in oauth2.modules if action in m.actions), ())
    reads = {each.scope for each in siblings if each.action.startswith("Read")}
    return verb in _WRITES and not reads.isdisjoint(chosen)
