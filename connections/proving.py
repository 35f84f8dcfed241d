"""Prove that an authorization works, with the connector's own harmless check call."""

from __future__ import annotations

from django.utils import timezone

from connections.models import Authorization, Credential
from connections.refreshing import NeedsAuthorization, fresh, mark
from connectors.checking import Account, check
from connectors.errors import CredentialRefused, ServiceError


def prove(authorization: Authorization) -> Account:
    """Call the service as this authorization does and return the account it acts for.

    Raise ``ServiceError`` with a sentence. A credential that is refused for good is marked
    as needing authorization; what came of the test stands in its row.
    """
    credential = authorization.credential
    if credential is None:
        raise CredentialRefused("This connection is not authorized yet.")
    try:
        account = _check_or_renew(credential)
    except ServiceError as error:
        if isinstance(error, CredentialRefused) and not isinstance(error, NeedsAuthorization):
            mark(credential, Authorization.State.NEEDS_AUTHORIZATION, str(error))
        _remember(credential, str(error))
        raise
    credential.authorizations.exclude(state=Authorization.State.ACTIVE).update(
        state=Authorization.State.ACTIVE, reason=""
    )
    _remember(credential, "")
    return account


def _check_or_renew(credential: Credential) -> Account:
    """Check; a refused access token is renewed once and tried again."""
    try:
        return _check(credential)
    except NeedsAuthorization:
        raise
    except CredentialRefused:
        if credential.auth_type != "oauth2":
            raise
        fresh(credential, force=True)
        credential.refresh_from_db()
        return _check(credential)


def _check(credential: Credential) -> Account:
    return check(
        credential.connector,
        credential.auth_type,  # type: ignore[arg-type]
        secret=fresh(credential),
        values=credential.values,
    )


def _remember(credential: Credential, problem: str) -> None:
    Credential.objects.filter(pk=credential.pk).update(
        checked_at=timezone.now(), check_problem=problem[:300]
    )
