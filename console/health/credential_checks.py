"""Test credentials at regular intervals, to find problems before an application does."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone
from django_tasks import task

from connections.credentials.rounds import AGAIN, VisitOutcome, set_turn, share
from connections.credentials.testing import check_authorization
from connections.models import Authorization, Credential
from connectors.errors import CredentialRefused, ServiceError
from console.encryption.fernet_keys import SecretUnreadable


@task()
def check_one(pk: str) -> str:
    """Make the check call of one credential if it is due, and return the result."""
    credential = Credential.objects.filter(pk=pk).first()
    if credential is None:
        return VisitOutcome.NOT_DUE
    outcome = _check(credential)
    credential = Credential.objects.filter(pk=pk).first()
    if credential is not None:
        turn = check_turn(credential)
        if outcome is VisitOutcome.UNAVAILABLE:  # try again sooner, but not immediately
            turn = min(turn, timezone.now() + 2 * AGAIN * (1 + share(credential)))
        set_turn(credential, "check_at", turn)
    return outcome


def check_turn(credential: Credential) -> datetime:
    """Return when the next test of a credential is due; the share spreads the tests over time."""
    tested = credential.checked_at or credential.created_at
    interval = timedelta(hours=settings.HEALTH_CHECK_HOURS)
    return tested + interval * (1 - share(credential) / 4)


def _check(credential: Credential) -> VisitOutcome:
    turn = check_turn(credential)
    failed_before = bool(credential.check_problem)
    # An authorization that stopped may work again: the service may have had an outage.
    states = Authorization.State.ACTIVE, Authorization.State.NEEDS_AUTHORIZATION
    rows = credential.authorizations.filter(state__in=states, connection__disabled_at=None)
    authorization = rows.select_related("connection").first()
    if authorization is None or (turn > timezone.now() and not failed_before):
        return VisitOutcome.NOT_DUE
    try:
        check_authorization(authorization)
    except (CredentialRefused, SecretUnreadable):  # neither is an outage
        return VisitOutcome.ENDED
    except ServiceError:
        return VisitOutcome.UNAVAILABLE
    return VisitOutcome.DONE
