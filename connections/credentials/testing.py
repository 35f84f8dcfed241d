"""Test an authorization with the harmless check call that its connector defines."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import transaction
from django.db.models.functions import Now

from connections.authorizations.state_changes import (
    mark_ended,
    mark_recovered,
    record_account_found,
)
from connections.credentials.refreshing import NeedsAuthorization, with_one_retry
from connections.models import Authorization, Credential
from connections.models.reason_code import ReasonCode
from connections.setup.default_names import is_default_label
from connectors.api.check_call import Account, check
from connectors.errors import CredentialRefused, ServiceError


class ConnectionIsDisabled(ServiceError):
    """No test is made, because the connection is disabled."""


def check_authorization(authorization: Authorization) -> Account:
    """Make the check call with this authorization and return its account.

    Raise ``ServiceError`` with a message for a person. The result is stored in the credential;
    if the service refuses it for good, its authorizations are marked as ended.
    """
    if disablement := authorization.connection.disablement:
        raise ConnectionIsDisabled(disablement.message(str(authorization.connection)))
    credential = authorization.credential
    if credential is None:
        raise CredentialRefused("This connection is not authorized yet.")
    if authorization.state == Authorization.State.SUSPENDED:
        raise CredentialRefused(authorization.reason)
    try:
        account = with_one_retry(credential, lambda secret: call_check(credential, secret))
    except ServiceError as error:
        is_marked = isinstance(error, NeedsAuthorization)
        if isinstance(error, CredentialRefused) and not is_marked:
            record_refusal(credential, error)
        else:
            record_failure(credential, error)
        raise
    return record_success(credential, account)


def call_check(credential: Credential, secret: Mapping[str, str]) -> Account:
    """Make the check call without a refresh or a record; raise ``ServiceError``."""
    return check(
        credential.connector,
        credential.auth_type,
        secret=secret,
        values=credential.values,
    )


def record_success(credential: Credential, account: Account) -> Account:
    """Record that a check passed, in the credential and its authorizations."""
    mark_recovered(credential)
    _note(credential, "")
    _learn_account(credential, account)
    return account


def record_refusal(credential: Credential, error: CredentialRefused) -> None:
    """Record that the service refused the credential in a check.

    If it was refreshed in the meantime, the refusal is about the previous token.
    """
    with transaction.atomic():
        same = Credential.objects.filter(pk=credential.pk, version=credential.version)
        if same.select_for_update().first() is not None:
            state = Authorization.State.NEEDS_AUTHORIZATION
            mark_ended(credential, state, str(error), ReasonCode.CREDENTIAL_REFUSED)
    _note(credential, str(error))


def record_failure(credential: Credential, error: ServiceError) -> None:
    """Record why a check failed without a result."""
    _note(credential, str(error))


def _learn_account(credential: Credential, account: Account) -> None:
    """Store the account if authorizing could not look it up. A label of a person stays."""
    rows = Credential.objects.filter(pk=credential.pk)
    if account.identifier and not credential.account_id:
        rows.filter(account_id="").update(account_id=account.identifier[:200])
    was = credential.label
    if not account.label or not is_default_label(was, credential.connector):
        return
    with transaction.atomic():
        label = account.label[:100]
        if rows.filter(label=was).update(label=label):
            credential.label = label
            record_account_found(credential, was)


def _note(credential: Credential, problem: str) -> None:
    Credential.objects.filter(pk=credential.pk).update(
        checked_at=Now(), check_problem=problem[:300]
    )
