"""Renew idle grants before they expire.

Refresh tokens expire if they are not used for a long time, and services do not say after how long.
An idle credential is therefore renewed once a day, or before half of its known lifetime is over.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils import timezone
from django_tasks import task

from connections.credentials.leases import REFUSALS
from connections.credentials.refreshing import NeedsAuthorization, fresh_secret
from connections.credentials.rounds import AGAIN, VisitOutcome, set_turn, share
from connections.models import Credential
from connectors.errors import CredentialRefused, ServiceError
from console.encryption.fernet_keys import SecretUnreadable

IDLE = timedelta(days=1)
#: When a credential that cannot be renewed is checked again, as its connector may have changed.
SELDOM = timedelta(days=30)


@task()
def renew(pk: str) -> str:
    """Renew one credential if it is due; return a :class:`VisitOutcome`."""
    credential = Credential.objects.select_related("client").filter(pk=pk).first()
    if credential is None:
        return VisitOutcome.NOT_DUE
    try:
        return _renewed(credential)
    except SecretUnreadable:  # listed under *Health*; it may be replaced by tomorrow
        set_turn(credential, "renew_at", timezone.now() + IDLE)
        return VisitOutcome.ENDED


def _renewed(credential: Credential) -> VisitOutcome:
    pk, outcome = credential.pk, _renew(credential)
    row = Credential.objects.filter(pk=pk).first()
    if row is not None:
        turn = renewal_turn(row)
        if outcome is VisitOutcome.UNAVAILABLE or row.refusal_since:
            turn = max(turn, timezone.now() + _patience(row))
        set_turn(row, "renew_at", turn)
    return outcome


def renewal_turn(credential: Credential) -> datetime:
    """Return when an idle credential has to be renewed, or will have ended."""
    given, ends_at = credential.obtained_at, credential.ends_at
    if not _is_renewable(credential):
        return min(filter(None, (ends_at, timezone.now() + SELDOM)))
    early = 1 - share(credential) / 4
    turn = given + IDLE * early
    if ends_at is None:
        return turn
    half = given + (ends_at - given) / 2
    oauth2 = credential.connector.oauth2
    if oauth2 and oauth2.exchange:  # the token itself is traded: seldom, and while it lives
        return half + (ends_at - half) / 2 * share(credential)
    return min(turn, given + (half - given) * early)


def _patience(credential: Credential) -> timedelta:
    """Return how long to wait after a failure: longer, the longer a service has refused."""
    wait = AGAIN * (1 + share(credential))
    if credential.refusal_since is None:
        return wait
    return max(wait, (timezone.now() - credential.refusal_since) / 4)


def _renew(credential: Credential) -> VisitOutcome:
    if credential.has_ended:
        return _asked(credential, force=False)
    is_due = renewal_turn(credential) <= timezone.now() or credential.refusals >= REFUSALS
    if not _is_renewable(credential) or not is_due:
        return VisitOutcome.NOT_DUE
    return _asked(credential, force=True)


def _asked(credential: Credential, *, force: bool) -> VisitOutcome:
    try:
        fresh_secret(credential, force=force)
    except (NeedsAuthorization, CredentialRefused):
        return VisitOutcome.ENDED
    except ServiceError:
        return VisitOutcome.UNAVAILABLE
    return VisitOutcome.DONE


def _is_renewable(credential: Credential) -> bool:
    return (
        credential.auth_type == "oauth2"
        and not credential.refused
        and bool(credential.open_secret().get("refresh_token"))
    )
