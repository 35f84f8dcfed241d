"""Prove that an authorization works, with the connector's own harmless check call."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import transaction
from django.db.models.functions import Now

from connections.authorizations.state_changes import mark_ended, mark_recovered
from connections.credentials.refreshing import NeedsAuthorization, with_one_retry
from connections.models import Authorization, Credential
from connectors.api.check_call import Account, check
from connectors.errors import CredentialRefused, ServiceError


def check_authorization(authorization: Authorization) -> Account:
    """Call the service as this authorization does and return the account it acts for.

    Raise ``ServiceError`` with a sentence. A credential that is refused for good is marked
    as needing authorization; what came of the test stands in its row.
    """
    credential = authorization.credential
    if credential is None:
        raise CredentialRefused("This connection is not authorized yet.")
    if authorization.state == Authorization.State.SUSPENDED:
        raise CredentialRefused(authorization.reason)
    try:
        account = with_one_retry(credential, lambda secret: call_check(credential, secret))
    except ServiceError as error:
        marked = isinstance(error, NeedsAuthorization)
        if isinstance(error, CredentialRefused) and not marked:
            record_refusal(credential, error)
        else:
            record_failure(credential, error)
        raise
    return record_success(credential, account)


def call_check(credential: Credential, secret: Mapping[str, str]) -> Account:
    """Make the check call; raise ``ServiceError``. Nothing is renewed or remembered."""
    return check(
        credential.connector,
        credential.auth_type,  # type: ignore[arg-type]
        secret=secret,
        values=credential.values,
    )


def record_success(credential: Credential, account: Account) -> Account:
    """Write down that a check has passed, in the credential and on all who use it."""
    mark_recovered(credential)
    _note(credential, "")
    return account


def record_refusal(credential: Credential, error: CredentialRefused) -> None:
    """Write down that a check has proved the end of the credential.

    If it was renewed meanwhile, the refusal was meant for the token before.
    """
    with transaction.atomic():
        same = Credential.objects.filter(pk=credential.pk, version=credential.version)
        if same.select_for_update().first() is not None:
            mark_ended(credential, Authorization.State.NEEDS_AUTHORIZATION, str(error))
    _note(credential, str(error))


def record_failure(credential: Credential, error: ServiceError) -> None:
    """Write down why a check came to nothing."""
    _note(credential, str(error))


def _note(credential: Credential, problem: str) -> None:
    Credential.objects.filter(pk=credential.pk).update(
        checked_at=Now(), check_problem=problem[:300]
    )
