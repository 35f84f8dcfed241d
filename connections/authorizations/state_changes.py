"""Mark all authorizations of a credential as ended, or as recovered, and audit the change."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from connections.models import Authorization, Connection, Credential
from connections.models.reason_code import ReasonCode
from console.audit.actions import AuditAction
from console.audit.log import AuditEntry, Subject, record_all


def mark_ended(
    credential: Credential,
    state: Authorization.State,
    reason: str,
    code: ReasonCode = ReasonCode.UNKNOWN,
) -> None:
    """Mark every authorization of a credential as no longer working."""
    with transaction.atomic():
        ended = _lock(credential, Q(state=Authorization.State.ACTIVE))
        # A suspended authorization stays suspended, so that it can be restored later.
        rows = credential.authorizations.exclude(state=Authorization.State.SUSPENDED)
        why = {"reason": reason[:300], "reason_code": str(code)}
        rows.filter(state=state).update(**why)  # the same result again
        rows.exclude(state=state).update(state=state, changed_at=timezone.now(), **why)
        _record(AuditAction.AUTHORIZATION_ENDED, credential, ended, **why)


def mark_recovered(credential: Credential) -> None:
    """Mark every authorization of a credential as working again.

    A grant that its service has refused for good stays ended, although its last access token
    may work for some time.
    """
    with transaction.atomic():
        if credential.refused:
            return
        states = Authorization.State.ACTIVE, Authorization.State.SUSPENDED
        again = _lock(credential, ~Q(state__in=states))
        if again:
            credential.authorizations.filter(pk__in=[row.pk for row in again]).update(
                state=Authorization.State.ACTIVE, reason="", reason_code=""
            )
        _record(AuditAction.AUTHORIZATION_RECOVERED, credential, again)


def record_account_found(credential: Credential, was: str) -> None:
    """Record that the account has the name that its service reports, instead of a default."""
    rows = credential.authorizations.select_related("connection").order_by("pk")
    connections = dict.fromkeys(row.connection for row in rows)
    record_all(
        credential.organization_id,
        None,
        [
            AuditEntry(
                action=AuditAction.AUTHORIZATION_LABELED,
                subject=Subject.of(connection),
                details={"account": credential.label, "was": was},
            )
            for connection in connections
        ],
    )


def _lock(credential: Credential, which: Q) -> list[Authorization]:
    rows = credential.authorizations.filter(which).select_related("connection").order_by("pk")
    return list(rows.select_for_update(of=("self",)))


def _record(
    action: AuditAction,
    credential: Credential,
    authorizations: Iterable[Authorization],
    **details: str,
) -> None:
    """Record the change as found by the console, once for each connection."""
    by_connection: dict[Connection, list[str]] = {}
    for row in authorizations:
        by_connection.setdefault(row.connection, []).append(row.environment)
    record_all(
        credential.organization_id,
        None,
        [
            AuditEntry(
                action=action,
                subject=Subject.of(connection),
                details={"account": credential.label, "environments": environments, **details},
            )
            for connection, environments in by_connection.items()
        ],
    )
