"""Suspend, restore or revoke the authorizations of a person who leaves or returns.

Call these functions in a transaction that locks the person's membership. They return audit
entries, which the caller records together with its own.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterable
from datetime import timedelta

from django.db.models import Q, QuerySet
from django.utils import timezone

from connections.authorizations.credential_erasure import revoke_and_erase_each
from connections.models import Authorization, Connection, Credential, Flow
from connections.models.reason_code import ReasonCode
from console.accounts.models import Organization, User
from console.audit.actions import AuditAction
from console.audit.log import AuditEntry, Subject

logger = logging.getLogger(__name__)
#: How long suspended authorizations can be restored.
RESTORABLE_FOR = timedelta(days=30)
_SAVED = ("state_before", "state", "reason", "reason_code_before", "reason_code")
SUSPENDED = Authorization.State.SUSPENDED
#: The key of an organization, and an entry for its audit log.
OrganizationEntry = tuple[uuid.UUID, AuditEntry]


def authorizations_given_by(
    user: User, organization: Organization | None = None
) -> QuerySet[Authorization]:
    """Return the authorizations with a credential that a person has given or owns."""
    rows = Authorization.objects.filter(
        Q(authorized_by=user) | Q(user=user), credential__isnull=False
    )
    return rows.filter(organization=organization) if organization else rows


def suspend(user: User, organization: Organization, reason: str) -> list[OrganizationEntry]:
    """Suspend every authorization that a person has given in an organization."""
    Flow.objects.filter(user=user, organization=organization).stop(reason)
    rows = _lock(authorizations_given_by(user, organization).exclude(state=SUSPENDED))
    for row in rows:
        row.state_before, row.state, row.reason = row.state, SUSPENDED, reason[:300]
        row.reason_code_before, row.reason_code = row.reason_code, ReasonCode.PERSON_DEACTIVATED
        row.save(update_fields=[*_SAVED, "changed_at"])
    return _audit_entries(AuditAction.AUTHORIZATION_SUSPENDED, rows)


def restore(user: User, organization: Organization) -> list[OrganizationEntry]:
    """Restore suspended authorizations that nobody has replaced in the meantime."""
    rows = _lock(authorizations_given_by(user, organization).filter(state=SUSPENDED))
    for row in rows:
        row.state, row.state_before = row.state_before, ""
        works = row.state == Authorization.State.ACTIVE
        row.reason = "" if works else "It had stopped working before it was suspended."
        row.reason_code, row.reason_code_before = row.reason_code_before, ""
        row.save(update_fields=[*_SAVED, "changed_at"])
    return _audit_entries(AuditAction.AUTHORIZATION_RESTORED, rows)


def revoke_all(
    rows: QuerySet[Authorization], reason: str
) -> tuple[list[OrganizationEntry], list[uuid.UUID]]:
    """Revoke authorizations for good; return the audit entries and the unused credentials.

    After the commit, pass those credentials to :func:`revoke_unused_credentials`.
    """
    locked = _lock(rows)
    entries = _audit_entries(AuditAction.AUTHORIZATION_REVOKED, locked)
    keys = {row.credential_id for row in locked if row.credential_id}
    Authorization.objects.filter(pk__in=[row.pk for row in locked]).update(
        credential=None,
        state=Authorization.State.REVOKED,
        state_before="",
        reason=reason[:300],
        reason_code=ReasonCode.PERSON_LEFT,
        reason_code_before="",
        changed_at=timezone.now(),
    )
    unused = Credential.objects.filter(pk__in=keys, authorizations=None)
    # The row must outlive the person until the revocation request is made.
    Credential.objects.filter(pk__in=list(unused.values_list("pk", flat=True))).update(user=None)
    return entries, list(unused.values_list("pk", flat=True))


def revoke_unused_credentials(keys: Iterable[uuid.UUID] | None = None) -> int:
    """Revoke unused credentials at their services, erase them, and return how many.

    Without ``keys`` these are all unused credentials, such as those of a process that was
    killed. No transaction may be open. They are erased whatever the services answer.
    """
    if keys is None:
        keys = Credential.objects.filter(authorizations=None).values_list("pk", flat=True)
    return len(revoke_and_erase_each(keys))


def _lock(rows: QuerySet[Authorization]) -> list[Authorization]:
    """Lock authorizations, their connections first, in the same order as ``granting``."""
    connections = Connection.objects.filter(pk__in=rows.values("connection"))
    list(connections.order_by("pk").select_for_update(of=("self",)).values_list("pk"))
    locked = rows.select_related("connection", "credential").order_by("pk")
    return list(locked.select_for_update(of=("self",)))


def _audit_entries(action: AuditAction, rows: Iterable[Authorization]) -> list[OrganizationEntry]:
    """Return one audit entry for each connection and account."""
    groups: dict[tuple[Connection, str], list[Authorization]] = {}
    for row in rows:
        label = row.credential.label if row.credential else ""
        groups.setdefault((row.connection, label), []).append(row)
    return [
        (
            group[0].organization_id,
            AuditEntry(
                action=action,
                subject=Subject.of(connection),
                details={"account": account, "environments": [row.environment for row in group]},
            ),
        )
        for (connection, account), group in groups.items()
    ]
