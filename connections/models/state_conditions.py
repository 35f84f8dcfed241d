"""Database conditions for the states that pages show (``DisplayState``), to filter and count rows.

What the service has not granted is a matter of the connector's definition. Rows are therefore
grouped by their scopes in the database, and each group is compared once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import F, Q, QuerySet
from django.utils import timezone

from connections.models.authorization import Authorization
from connections.models.credential import EXPIRING_WITHIN
from connectors.definitions.registry import connector_or_placeholder
from console.choices import Environment

_STORED = ("revoked", "suspended", "unknown_outcome")
_COMMON = {
    "connector": "connection__connector_slug",
    "environment": "environment",
    "granted": "credential__scopes_granted",
}
#: Where the scopes that a connection needs are kept: in Development and in the release in Stage.
_AT_HOME = {
    **_COMMON,
    "all_actions": "connection__all_actions",
    "scopes": "connection__scopes",
    "released_all_actions": "connection__released__document__all_actions",
    "released_scopes": "connection__released__document__scopes",
}
#: The same for Production: in the installed release.
_AT_CLIENTS = {
    **_COMMON,
    "released_all_actions": "connection__installed__document__all_actions",
    "released_scopes": "connection__installed__document__scopes",
}
#: Groups that are looked for at once; SQLite limits the depth of an expression.
_MOST_GROUPS = 100


def working() -> Q:
    """Match the authorizations that can act: active, with a credential that has not ended."""
    return Q(state=Authorization.State.ACTIVE, credential__isnull=False) & ~ended()


def ended(of: str = "credential__") -> Q:
    """Match the authorizations whose grant has ended (``Credential.has_ended``).

    With ``of=""`` this and :func:`ending` match credentials.
    """
    return Q(**{f"{of}ends_at__lte": timezone.now(), f"{of}is_extended": False})


def ending(of: str = "credential__") -> Q:
    """Match the authorizations whose grant ends soon (``Credential.is_expiring``)."""
    now = timezone.now()
    soon = Q(**{f"{of}ends_at__lte": now + EXPIRING_WITHIN})
    # Credentials that can be extended are renewed before half of their lifetime (``renewal.py``).
    overdue = Q(**{f"{of}obtained_at__lt": now - (F(f"{of}ends_at") - now)})
    extended = Q(**{f"{of}is_extended": True})
    return soon & ((extended & overdue) | (~extended & Q(**{f"{of}ends_at__gt": now})))


def in_state(name: str) -> Q:
    """Match the authorizations in a state of :data:`AUTHORIZATION_STATES`.

    ``active`` and ``expiring`` do not look at permissions (:func:`missing_permissions`).
    """
    active = Q(state=Authorization.State.ACTIVE)
    if name in _STORED:
        return Q(state=name)
    if name == "needs_authorization":
        return Q(state=name) | (active & (Q(credential=None) | ended()))
    return working() & (ending() if name == "expiring" else ~ending())


def missing_permissions(rows: QuerySet[Authorization]) -> Q | None:
    """Match the authorizations whose service has granted less than the connection needs now.

    Return ``None`` if none of these rows has.
    """
    at_clients = _comparable(rows).filter(
        environment=Environment.PRODUCTION, connection__installed__organization=F("organization")
    )
    found = [
        *_groups_at_home(rows),
        *(
            group & Q(connection__installed__organization=F("organization"))
            for group in _groups(at_clients, _AT_CLIENTS)
        ),
    ]
    return working() & reduce(or_, found) if found else None


def missing_permissions_at_home(rows: QuerySet[Authorization]) -> Q | None:
    """Do the same for Development and Stage only."""
    found = list(_groups_at_home(rows))
    return working() & reduce(or_, found) if found else None


def _comparable(rows: QuerySet[Authorization]) -> QuerySet[Authorization]:
    return rows.filter(
        working(), connection__auth_type="oauth2", credential__auth_type="oauth2"
    ).order_by()


def _groups_at_home(rows: QuerySet[Authorization]) -> Iterator[Q]:
    return _groups(_comparable(rows).exclude(environment=Environment.PRODUCTION), _AT_HOME)


def _groups(rows: QuerySet[Authorization], fields: Mapping[str, str]) -> Iterator[Q]:
    """Yield a condition for each group of rows that lacks permissions."""
    number = 0
    for values in rows.values_list(*fields.values()).distinct():
        group = dict(zip(fields, values, strict=True))
        if number < _MOST_GROUPS and _misses(group):
            number += 1
            condition = Q(**{fields[name]: v for name, v in group.items() if v is not None})
            yield condition & (
                Q(connection__released=None) if group["released_scopes"] is None else Q()
            )


def _misses(group: Mapping[str, Any]) -> bool:
    """Tell whether a group lacks permissions, as ``Authorization.display`` does for one row."""
    oauth2 = connector_or_placeholder(group["connector"]).oauth2
    if oauth2 is None:
        return False
    always = [action.scope for action in oauth2.always]
    environment = group["environment"]
    is_released = group["released_scopes"] is not None
    needed: list[str] = []
    if "scopes" in group and (environment != Environment.STAGE or not is_released):
        chosen = oauth2.all_actions if group["all_actions"] else group["scopes"]
        needed += [*always, *chosen]
    if is_released and environment != Environment.DEVELOPMENT:
        chosen = oauth2.all_actions if group["released_all_actions"] else group["released_scopes"]
        needed += [*always, *chosen]
    return bool(oauth2.missing(tuple(dict.fromkeys(needed)), group["granted"]))
