"""Prove that an authorization works, with the connector's own harmless check call."""

from __future__ import annotations

from django.utils import timezone

from connections.models import Authorization, Credential
from connections.refreshing import NeedsAuthorization, fresh, mark
from connectors.checking import Account, check
from connectors.errors import CredentialRefused


def prove(authorization: Authorization) -> Account:
    """Call the service as this authorization does and return the account it acts for.

    A refused access token is renewed once and tried again. Raise ``ServiceError`` with a
    sentence; a credential that stays refused is marked as needing authorization.
    """
    credential = authorization.credential
    if credential is None:
        raise CredentialRefused("This connection is not authorized yet. Press Authorize.")
    try:
        account = _check(credential)
    except NeedsAuthorization:
        raise
    except CredentialRefused as error:
        if credential.auth_type != "oauth2":
            mark(credential, Authorization.State.NEEDS_AUTHORIZATION, str(error))
            raise
        try:
            fresh(credential, force=True)
            credential.refresh_from_db()
            account = _check(credential)
        except NeedsAuthorization:
            raise
        except CredentialRefused as refused:
            mark(credential, Authorization.State.NEEDS_AUTHORIZATION, str(refused))
            raise
    Credential.objects.filter(pk=credential.pk).update(checked_at=timezone.now())
    credential.authorizations.exclude(state=Authorization.State.ACTIVE).update(
        state=Authorization.State.ACTIVE, reason=""
    )
    return account


def _check(credential: Credential) -> Account:
    return check(
        credential.connector,
        credential.auth_type,  # type: ignore[arg-type]
        secret=fresh(credential),
        values=credential.values,
    )
