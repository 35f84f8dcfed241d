"""Erase credentials that nothing uses, with a revocation request to their service first."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterable, Mapping
from datetime import datetime

from django.db import transaction

from connections.authorizations.revocation_request import (
    RevocationOutcome,
    can_revoke,
    request_failed,
    request_revocation,
)
from connections.models import Credential
from console.accounts.models import Organization, User
from console.audit.actions import AuditAction
from console.audit.log import Subject, record

logger = logging.getLogger(__name__)
#: How many revocation requests are made if each time a refresh stores new tokens meanwhile.
_MAX_REQUESTS = 3


def revoke_and_erase(key: uuid.UUID, by: User | None = None) -> RevocationOutcome | None:
    """Revoke an unused grant at its service, then delete its row whatever the service answers.

    No transaction may be open. The row stays until the request is made: if the process is
    killed, the next *prune* tries again. If a refresh stores new tokens meanwhile, the version
    of the row changes, and the new tokens are revoked too. Return ``None`` for a credential that
    is in use or no longer exists.
    """
    unused = Credential.objects.filter(pk=key, authorizations=None)
    outcome = None
    for turn in range(1, _MAX_REQUESTS + 1):
        if (credential := unused.select_related("client").first()) is None:
            return outcome
        try:
            outcome = request_revocation(credential)
        except Exception:  # an error must not keep this secret or the next ones
            logger.exception(
                "Credential %s was erased without a revocation request, because of an error.", key
            )
            outcome = request_failed(credential)
        with transaction.atomic():
            row = unused.select_for_update(of=("self",)).only("version").first()
            if row and (row.version == credential.version or turn == _MAX_REQUESTS):
                row.delete()
                _record(credential, outcome, by)
                return outcome
    return outcome


def revoke_and_erase_each(keys: Iterable[uuid.UUID], by: User | None = None) -> list[str]:
    """Revoke and erase the unused ones of these credentials; return a sentence for each account."""
    rows = Credential.objects.filter(pk__in=list(keys), authorizations=None)
    labels = rows.order_by("created_at", "pk").values_list("pk", "label")
    outcomes = [(label, revoke_and_erase(key, by)) for key, label in labels]
    return [f"{label}: {outcome.sentence}" for label, outcome in outcomes if outcome]


def delete_replaced(credentials: Iterable[Credential]) -> None:
    """Delete unused credentials of an account that has a new grant, without a revocation request.

    Call it in the transaction that replaces them. Otherwise *prune* would revoke them at the
    service, and many services then revoke the new grant, too.
    """
    keys = [credential.pk for credential in credentials]
    Credential.objects.filter(pk__in=keys, authorizations=None).delete()


def revoke_late_tokens(
    credential: Credential,
    secret: Mapping[str, str] | None = None,
    *,
    expires_at: datetime | None = None,
) -> str:
    """Revoke tokens that arrived after their authorization was revoked, deleted or uninstalled.

    ``credential`` is the row that existed, or an unsaved one; ``secret`` holds the new tokens if
    they are not its own. Nothing is revoked while the row, or another grant of the same account,
    exists: many services would revoke that grant too, so the new tokens expire unused. Return a
    sentence for a person.
    """
    service = credential.connector.name
    if _is_in_use(credential):
        return ""
    if secret is not None:
        credential.secret, credential.expires_at = dict(secret), expires_at
    outcome = request_revocation(credential)
    logger.warning("Tokens of %s arrived too late. Revocation: %s.", service, outcome.result)
    if Organization.objects.filter(pk=credential.organization_id).exists():
        with transaction.atomic():
            _record(credential, outcome, None, late=True)
    return outcome.sentence


def _is_in_use(credential: Credential) -> bool:
    """Tell whether this grant, or one that the service may revoke with it, is in use here."""
    rows = Credential.objects.filter(organization=credential.organization_id)
    if rows.filter(pk=credential.pk).exists():
        return True
    related = rows.filter(
        connector_slug=credential.connector_slug,
        auth_type=credential.auth_type,
        client=credential.client_id,
    )
    if credential.account_id:
        related = related.filter(account_id__in=("", credential.account_id))
    return related.exists()


def _record(
    credential: Credential, outcome: RevocationOutcome, by: User | None, *, late: bool = False
) -> None:
    """Record the answer of a service, if a revocation request was possible."""
    if not can_revoke(credential):
        return
    record(
        AuditAction.CREDENTIAL_REVOCATION_ASKED,
        credential.organization_id,
        by,
        Subject.of(credential),
        service=credential.connector.name,
        answer=str(outcome.result),
        note=outcome.sentence,
        late=late or None,
    )
