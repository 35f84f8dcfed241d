"""Revoke an authorization: first here, then at the service (RFC 7009)."""

from __future__ import annotations

from django.db import transaction

from connections.authorizations.credential_erasure import revoke_and_erase
from connections.authorizations.revocation_request import can_revoke, not_supported, preview
from connections.models import Authorization, Credential, Flow
from connections.models.reason_code import ReasonCode
from console.accounts.authority import check_and_lock
from console.accounts.models import User
from console.accounts.policy import Action
from console.audit.actions import AuditAction
from console.audit.log import record


def revoke(authorization: Authorization, by: User, *, action: Action | None = None) -> str:
    """Revoke an authorization and return the result, in one or more sentences.

    ``action`` must be allowed if it is the authorization of somebody else: then ``NotAllowed``
    is raised for people who may not do it.

    After the first commit nothing here uses the credential, and a pending exchange of a code
    fails. The service is asked to revoke the grant only if no other authorization uses it.
    """
    reason = f"Revoked by {by}."
    with transaction.atomic():
        if action:
            check_and_lock(by, authorization.organization, action)
        _stop_exchanges(authorization, reason)
        row = Authorization.objects.select_for_update().get(pk=authorization.pk)
        row.credential, credential = None, row.credential
        has_changed = credential is not None or row.state != Authorization.State.REVOKED
        row.state = Authorization.State.REVOKED
        row.reason, row.reason_code = reason, ReasonCode.REVOKED_HERE
        row.save()
        in_use = credential is not None and credential.authorizations.exists()
        if has_changed:
            record(
                AuditAction.AUTHORIZATION_REVOKED,
                row.organization_id,
                by,
                authorization.connection,
                account=credential.label if credential else None,
                environments=[row.environment],
                reason_code=str(ReasonCode.REVOKED_HERE),
                person=str(row.user) if row.user_id not in (None, by.pk) else None,
                at_the_service=_at_the_service(credential, in_use=in_use),
            )
    service = authorization.connection.connector.name
    if credential is None:
        return f"There was nothing left to revoke at {service}."
    if in_use:
        return still_connected(credential)
    outcome = revoke_and_erase(credential.pk, by)
    return outcome.sentence if outcome else ""


def _stop_exchanges(authorization: Authorization, reason: str) -> None:
    """Stop flows whose code is being exchanged, so that they cannot authorize it again.

    Flows that are still on the page of the service continue: consent given later is valid.
    """
    flows = Flow.objects.filter(
        connection=authorization.connection_id,
        organization=authorization.organization_id,
        outcome=Flow.Outcome.EXCHANGING,
    )
    if authorization.user_id:
        flows = flows.filter(user=authorization.user_id)
    keys = [
        pk for pk, e in flows.values_list("pk", "environments") if authorization.environment in e
    ]
    flows.filter(pk__in=keys).stop(reason)


def _at_the_service(credential: Credential | None, *, in_use: bool) -> str:
    """Say what is known before the revocation request. Its answer is an event of its own."""
    if credential is None:
        return ""
    if in_use:
        return still_connected(credential)
    return "" if can_revoke(credential) else not_supported(credential).sentence


def still_connected(credential: Credential) -> str:
    """Say that the grant stays, because another authorization uses it."""
    return (
        f"{credential.label} stays connected at {credential.connector.name}, because another "
        "authorization uses it too."
    )


def preview_revocation(authorization: Authorization) -> str:
    """Say what revoking will do at the service, before a person decides."""
    credential = authorization.credential
    if credential is None:
        service = authorization.connection.connector.name
        return f"There is nothing left to revoke at {service}."
    others = credential.authorizations.exclude(pk=authorization.pk)
    return still_connected(credential) if others.exists() else preview(credential)
