"""Say on every authorization that uses a credential what has become of it."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from connections.models import Authorization, Connection, Credential
from console.audit.actions import AuditAction
from console.audit.log import AuditEntry, Subject, record_all


def mark(credential: Credential, state: Authorization.State, reason: str) -> None:
    """Record that what uses the credential has stopped working."""
    with transaction.atomic():
        ended = _held(credential, Q(state=Authorization.State.ACTIVE))
        # A suspended one stays so: whoever comes back must not find it taken up by others.
        rows = credential.authorizations.exclude(state=Authorization.State.SUSPENDED)
        rows.filter(state=state).update(reason=reason[:300])  # found out once more
        rows.exclude(state=state).update(
            state=state, reason=reason[:300], changed_at=timezone.now()
        )
        _record(AuditAction.AUTHORIZATION_ENDED, credential, ended, reason=reason[:300])


def unmark(credential: Credential) -> None:
    """Record that what uses the credential works again.

    A grant that its service has refused does not: its last access token may, for a while.
    """
    with transaction.atomic():
        if credential.refused:
            return
        states = Authorization.State.ACTIVE, Authorization.State.SUSPENDED
        again = _held(credential, ~Q(state__in=states))
        if again:
            credential.authorizations.filter(pk__in=[row.pk for row in again]).update(
                state=Authorization.State.ACTIVE, reason=""
            )
        _record(AuditAction.AUTHORIZATION_RECOVERED, credential, again)


def _held(credential: Credential, which: Q) -> list[Authorization]:
    rows = credential.authorizations.filter(which).select_related("connection").order_by("pk")
    return list(rows.select_for_update(of=("self",)))


def _record(
    action: AuditAction,
    credential: Credential,
    authorizations: Iterable[Authorization],
    **details: str,
) -> None:
    """Write that the console found this out by itself, once for each connection."""
    places: dict[Connection, list[str]] = {}
    for row in authorizations:
        places.setdefault(row.connection, []).append(row.environment)
    record_all(
        credential.organization_id,
        None,
        [
            AuditEntry(
                action=action,
                subject=Subject.of(connection),
                details={"account": credential.label, "environments": environments, **details},
            )
            for connection, environments in places.items()
        ],
    )
