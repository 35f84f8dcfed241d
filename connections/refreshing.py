"""Keep a credential fresh: one refresh for many callers (RFC 6749 section 6).

A refresh token may be spent by the request, so nobody asks without the lease, no
transaction is open across the network, and the answer is journalled before it is read::

    lease taken and committed → request sent → raw answer journalled → parsed → stored
    where version and lease are still ours
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import TypeVar

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from connections.granting import after
from connections.models import Authorization, Connection, Credential
from connectors import oauth2
from connectors.errors import CredentialRefused, ServiceError
from connectors.outbound import Answer
from connectors.tokens import TokenAnswer, read_token_answer
from console.audit.acts import Act
from console.audit.recording import Happening, Subject, record_all

MARGIN = timedelta(minutes=15)
#: Longer than the outbound module's total deadline, or a slow answer loses its lease.
LEASE = timedelta(seconds=60)
WAIT_SECONDS = 20.0
POLL_SECONDS = 0.1

T = TypeVar("T")


class NeedsAuthorization(CredentialRefused):
    """Only a new authorization by a person helps."""


def fresh(credential: Credential, *, force: bool = False) -> Mapping[str, str]:
    """Return the secret, refreshed if it ends soon (or at once with ``force``).

    Raise :class:`NeedsAuthorization` where the grant is gone and ``ServiceError`` where
    the service cannot be asked now and the old token has ended.
    """
    seen = credential.version
    give_up = time.monotonic() + WAIT_SECONDS
    while True:
        wanted = (force and credential.version == seen) or is_due(credential)
        secret = credential.secret.reveal()
        if not wanted or not secret.get("refresh_token"):
            if credential.has_ended:
                raise _ended(credential)
            return secret
        owner = secrets.token_hex(16)
        if _take_lease(credential, owner):
            return _refresh(credential, owner, secret, force=force)
        if time.monotonic() > give_up:
            raise ServiceError(
                f"{credential.connector.name} is still being asked for a new access token."
            )
        time.sleep(POLL_SECONDS)
        try:
            credential.refresh_from_db()
        except Credential.DoesNotExist:
            return _newer(credential)


def renewing(credential: Credential, attempt: Callable[[Mapping[str, str]], T]) -> T:
    """Make an attempt with the secret; a refused access token is renewed once and tried again.

    ``attempt`` raises ``CredentialRefused`` where the service refuses the secret.
    """
    secret = fresh(credential)
    try:
        return attempt(secret)
    except CredentialRefused:
        if credential.auth_type != "oauth2":
            raise
        renewed = fresh(credential, force=True)
        if renewed == secret:  # there is nothing to renew it with
            raise
    credential.refresh_from_db()
    return attempt(renewed)


def is_due(credential: Credential, now: datetime | None = None) -> bool:
    """Tell whether the access token ends within 15 minutes or half of its lifetime.

    One that is traded for the next is due when half of its lifetime is over.
    """
    if credential.expires_at is None:
        return False
    half = (credential.expires_at - credential.obtained_at) / 2
    oauth2 = credential.connector.oauth2
    # What is traded for the next token must live: once it has ended, only a person can help.
    margin = half if oauth2 and oauth2.exchange else min(MARGIN, half)
    return credential.expires_at - (now or timezone.now()) < margin


def _take_lease(credential: Credential, owner: str) -> bool:
    now = timezone.now()
    taken = Credential.objects.filter(
        Q(lease_until=None) | Q(lease_until__lt=now), pk=credential.pk, version=credential.version
    ).update(lease_owner=owner, lease_until=now + LEASE, attempt=F("attempt") + 1)
    if taken:
        credential.refresh_from_db(fields=["attempt", "journal"])
    return bool(taken)


def _refresh(
    credential: Credential, owner: str, secret: Mapping[str, str], *, force: bool
) -> Mapping[str, str]:
    try:
        answer = _left_behind(credential) or oauth2.refresh(
            credential.connector,
            client=credential.client.credentials,
            refresh_token=secret["refresh_token"],
            values=credential.values,
            journal=lambda raw: _journal(credential, owner, raw),
        )
    except CredentialRefused as error:
        return _refused(credential, owner, str(error))
    except ServiceError as error:
        _release(credential, owner, error)
        # An outage of the token endpoint does not spoil a token that still lives.
        if not force and credential.expires_at and credential.expires_at > timezone.now():
            return secret
        raise
    new = {
        "access_token": answer.access_token,
        # A service that does not rotate sends none: the old one stays (RFC 6749 section 6).
        "refresh_token": answer.refresh_token or secret["refresh_token"],
    }
    with transaction.atomic():
        row = _held(credential, owner)
        if row is None:
            return _newer(credential)
        row.secret, row.journal = new, None
        row.kept = {**row.kept, **answer.kept}
        row.scopes_granted = list(answer.scopes or row.scopes_granted)
        row.obtained_at = timezone.now()
        row.expires_at = after(answer.expires_in)
        if answer.refresh_expires_in is not None:
            row.ends_at = after(answer.refresh_expires_in)
        row.version += 1
        row.lease_owner, row.lease_until, row.attempt = "", None, 0
        row.save()
    return new


def _refused(credential: Credential, owner: str, reason: str) -> Mapping[str, str]:
    """The service says that the grant is gone: believe it unless somebody was faster."""
    with transaction.atomic():
        row = _held(credential, owner)
        if row is None:
            return _newer(credential)
        state = Authorization.State.NEEDS_AUTHORIZATION
        if credential.attempt > 1:  # an earlier attempt, of unknown end, may have spent it
            state = Authorization.State.UNKNOWN_OUTCOME
        mark(row, state, reason)
        row.lease_owner, row.lease_until = "", None
        row.save(update_fields=["lease_owner", "lease_until"])
    raise NeedsAuthorization(reason)


def mark(credential: Credential, state: Authorization.State, reason: str) -> None:
    """Record on every authorization that uses the credential what has become of it."""
    with transaction.atomic():
        ended = _held_authorizations(credential, Q(state=Authorization.State.ACTIVE))
        # A suspended one stays so: whoever comes back must not find it taken up by others.
        credential.authorizations.exclude(state=Authorization.State.SUSPENDED).update(
            state=state, reason=reason[:300], changed_at=timezone.now()
        )
        _record(Act.AUTHORIZATION_ENDED, credential, ended, reason=reason[:300])


def unmark(credential: Credential) -> None:
    """Record that what uses the credential works again."""
    with transaction.atomic():
        states = Authorization.State.ACTIVE, Authorization.State.SUSPENDED
        again = _held_authorizations(credential, ~Q(state__in=states))
        if again:
            credential.authorizations.filter(pk__in=[row.pk for row in again]).update(
                state=Authorization.State.ACTIVE, reason=""
            )
        _record(Act.AUTHORIZATION_RECOVERED, credential, again)


def _held_authorizations(credential: Credential, which: Q) -> list[Authorization]:
    rows = credential.authorizations.filter(which).select_related("connection").order_by("pk")
    return list(rows.select_for_update(of=("self",)))


def _record(
    action: Act, credential: Credential, authorizations: Iterable[Authorization], **details: str
) -> None:
    """Write that the console found this out by itself, once for each connection."""
    places: dict[Connection, list[str]] = {}
    for row in authorizations:
        places.setdefault(row.connection, []).append(row.environment)
    record_all(
        credential.organization_id,
        None,
        [
            Happening(
                action=action,
                subject=Subject.of(connection),
                details={"account": credential.label, "environments": environments, **details},
            )
            for connection, environments in places.items()
        ],
    )


def _held(credential: Credential, owner: str) -> Credential | None:
    return (
        Credential.objects.select_for_update()
        .filter(pk=credential.pk, version=credential.version, lease_owner=owner)
        .first()
    )


def _newer(credential: Credential) -> Mapping[str, str]:
    """Return what came in while this process asked: a new grant wins."""
    row = Credential.objects.filter(pk=credential.pk).first()
    if row is None:
        raise NeedsAuthorization("This authorization was replaced meanwhile.")
    return row.secret.reveal()


def _left_behind(credential: Credential) -> TokenAnswer | None:
    """Return the answer that an earlier owner of the lease journalled and did not store."""
    if not credential.journal:
        return None
    connector = credential.connector
    answer = Answer(
        service=connector.name,
        status=200,
        headers={},
        body=credential.journal.reveal().encode(),
    )
    try:
        return read_token_answer(
            connector,
            connector.oauth2,  # type: ignore[arg-type]
            answer,
            values=credential.values,
            sent=(),
            refreshing=True,
        )
    except ServiceError:
        return None


def _journal(credential: Credential, owner: str, raw: bytes) -> None:
    with transaction.atomic():
        if row := _held(credential, owner):
            row.journal = raw.decode("utf-8", "replace")
            row.save(update_fields=["journal"])


def _release(credential: Credential, owner: str, error: ServiceError) -> None:
    """Give the lease back; the attempt stays counted where it may have reached the service."""
    in_doubt = not error.certain or (error.status or 0) >= 500
    Credential.objects.filter(pk=credential.pk, lease_owner=owner).update(
        lease_owner="", lease_until=None, attempt=F("attempt") - (0 if in_doubt else 1)
    )


def _ended(credential: Credential) -> NeedsAuthorization:
    reason = (
        f"The access to {credential.connector.name} has ended, and the service gave nothing "
        "to renew it with."
    )
    mark(credential, Authorization.State.NEEDS_AUTHORIZATION, reason)
    return NeedsAuthorization(reason)
