"""Test every credential now and then, so that a stop is found before an application finds it."""

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
    """Make the check call of one credential if its turn has come, and say what came of it."""
    credential = Credential.objects.filter(pk=pk).first()
    if credential is None:
        return VisitOutcome.NOT_DUE
    outcome = _check(credential)
    credential = Credential.objects.filter(pk=pk).first()
    if credential is not None:
        turn = check_turn(credential)
        if outcome is VisitOutcome.UNAVAILABLE:  # sooner, but not at once
            turn = min(turn, timezone.now() + 2 * AGAIN * (1 + share(credential)))
        set_turn(credential, "check_at", turn)
    return outcome


def check_turn(credential: Credential) -> datetime:
    """Return when a credential is to be tested: once in a while, each at a time of its own."""
    tested = credential.checked_at or credential.created_at
    while_ = timedelta(hours=settings.HEALTH_CHECK_HOURS)
    return tested + while_ * (1 - share(credential) / 4)


def _check(credential: Credential) -> VisitOutcome:
    turn = check_turn(credential)
    is_again = bool(credential.check_problem)
    # What has stopped may have recovered: its service may have been out of order.
    states = Authorization.State.ACTIVE, Authorization.State.NEEDS_AUTHORIZATION
    authorization = credential.authorizations.filter(state__in=states).first()
    if authorization is None or (turn > timezone.now() and not is_again):
        return VisitOutcome.NOT_DUE
    try:
        check_authorization(authorization)
    except (CredentialRefused, SecretUnreadable):  # the service is not to blame for either
        return VisitOutcome.ENDED
    except ServiceError:
        return VisitOutcome.UNAVAILABLE
    return VisitOutcome.DONE
