"""Prove that an authorization works, with the connector's own harmless check call."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from django.utils import timezone

from connections.marking import mark, unmark
from connections.models import Authorization, Credential
from connections.refreshing import NeedsAuthorization, renewing
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
    if authorization.state == Authorization.State.SUSPENDED:
        raise CredentialRefused(authorization.reason)
    return _remembered(
        credential, lambda: renewing(credential, lambda secret: _check(credential, secret))
    )


def is_refused(credential: Credential, secret: Mapping[str, str]) -> bool:
    """Tell whether a refusal of some other call (401) was meant for the credential as a whole.

    Some services answer 401 to a missing permission, too, so the check call decides, and
    what comes of it is remembered as by :func:`prove`.
    """
    try:
        _remembered(credential, lambda: _check(credential, secret))
    except ServiceError as error:
        return isinstance(error, CredentialRefused)
    return False


def _check(credential: Credential, secret: Mapping[str, str]) -> Account:
    return check(
        credential.connector,
        credential.auth_type,  # type: ignore[arg-type]
        secret=secret,
        values=credential.values,
    )


def _remembered(credential: Credential, checked: Callable[[], Account]) -> Account:
    """Write down what comes of a check, in the credential and on all who use it."""
    try:
        account = checked()
    except ServiceError as error:
        if isinstance(error, CredentialRefused) and not isinstance(error, NeedsAuthorization):
            mark(credential, Authorization.State.NEEDS_AUTHORIZATION, str(error))
        _note(credential, str(error))
        raise
    unmark(credential)
    _note(credential, "")
    return account


def _note(credential: Credential, problem: str) -> None:
    Credential.objects.filter(pk=credential.pk).update(
        checked_at=timezone.now(), check_problem=problem[:300]
    )
