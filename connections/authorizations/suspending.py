"""What becomes of authorizations when the person who gave them goes, or comes back.

All of it belongs into a transaction that holds the person's membership. Nothing is recorded
here: what happened is returned, and whoever makes it happen writes it down with the rest.
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
from console.accounts.models import Organization, User
from console.audit.actions import AuditAction
from console.audit.log import AuditEntry, Subject

logger = logging.getLogger(__name__)
#: How long what somebody authorized waits for him to come back.
RESTORABLE_FOR = timedelta(days=30)
SUSPENDED = Authorization.State.SUSPENDED
#: A happening, and the key of the organization whose it is.
OrganizationEntry = tuple[uuid.UUID, AuditEntry]


def authorizations_given_by(
    user: User, organization: Organization | None = None
) -> QuerySet[Authorization]:
    """Keep what a person has authorized, or holds for himself, and that has a credential yet."""
    rows = Authorization.objects.filter(
        Q(authorized_by=user) | Q(user=user), credential__isnull=False
    )
    return rows.filter(organization=organization) if organization else rows


def suspend(user: User, organization: Organization, reason: str) -> list[OrganizationEntry]:
    """Let nothing act any more that the person has authorized in an organization."""
    Flow.objects.filter(user=user, organization=organization).stop(reason)
    rows = _held(authorizations_given_by(user, organization).exclude(state=SUSPENDED))
    for row in rows:
        row.state_before, row.state, row.reason = row.state, SUSPENDED, reason[:300]
        row.save(update_fields=["state_before", "state", "reason", "changed_at"])
    return _told(AuditAction.AUTHORIZATION_SUSPENDED, rows)


def restore(user: User, organization: Organization) -> list[OrganizationEntry]:
    """Let act again what was suspended, unless somebody has replaced it meanwhile."""
    rows = _held(authorizations_given_by(user, organization).filter(state=SUSPENDED))
    for row in rows:
        row.state, row.state_before = row.state_before, ""
        works = row.state == Authorization.State.ACTIVE
        row.reason = "" if works else "It had stopped working before it was suspended."
        row.save(update_fields=["state_before", "state", "reason", "changed_at"])
    return _told(AuditAction.AUTHORIZATION_RESTORED, rows)


def revoke_all(
    rows: QuerySet[Authorization], reason: str
) -> tuple[list[OrganizationEntry], list[uuid.UUID]]:
    """Revoke authorizations for good; return what happened, and the credentials to give back.

    From the commit on nothing uses those; :func:`give_back_unused` then asks the services.
    """
    ended = _held(rows)
    told = _told(AuditAction.AUTHORIZATION_REVOKED, ended)
    keys = {row.credential_id for row in ended if row.credential_id}
    Authorization.objects.filter(pk__in=[row.pk for row in ended]).update(
        credential=None,
        state=Authorization.State.REVOKED,
        state_before="",
        reason=reason[:300],
        changed_at=timezone.now(),
    )
    unused = Credential.objects.filter(pk__in=keys, authorizations=None)
    # It must outlive the person until the service was asked.
    Credential.objects.filter(pk__in=list(unused.values_list("pk", flat=True))).update(user=None)
    return told, list(unused.values_list("pk", flat=True))


def revoke_unused_credentials(keys: Iterable[uuid.UUID] | None = None) -> int:
    """Revoke credentials that nothing uses any more, erase them, and count them.

    Without ``keys`` these are all of that kind, such as a process left when it was killed. No
    transaction may be open: services are asked. They are erased whatever those answer.
    """
    if keys is None:
        keys = Credential.objects.filter(authorizations=None).values_list("pk", flat=True)
    return len(revoke_and_erase_each(keys))


def _held(rows: QuerySet[Authorization]) -> list[Authorization]:
    """Lock authorizations, their connections first, as authorizing does."""
    connections = Connection.objects.filter(pk__in=rows.values("connection"))
    list(connections.order_by("pk").select_for_update(of=("self",)).values_list("pk"))
    locked = rows.select_related("connection", "credential").order_by("pk")
    return list(locked.select_for_update(of=("self",)))


def _told(act: AuditAction, rows: Iterable[Authorization]) -> list[OrganizationEntry]:
    """Tell of authorizations, once for each connection and account."""
    places: dict[tuple[Connection, str], list[Authorization]] = {}
    for row in rows:
        places.setdefault((row.connection, row.credential.label), []).append(row)
    return [
        (
            group[0].organization_id,
            AuditEntry(
                action=act,
                subject=Subject.of(connection),
                details={"account": account, "environments": [row.environment for row in group]},
            ),
        )
        for (connection, account), group in places.items()
    ]
