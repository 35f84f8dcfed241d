"""Ask before a different account replaces the one that a connection uses.

A grant for another account is kept aside until the person decides. Until then, the old
authorization stays in force. Without a decision within ten minutes the grant is dropped.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from connections.authorizations.credential_erasure import revoke_late_tokens
from connections.authorizations.granting import Grant, build_credential, store_grant
from connections.models import Credential, Flow, PendingGrant
from connections.models.authorization_site import AuthorizationSite
from connections.models.pending_grant import PENDING_LIFETIME
from connectors.api.check_call import Account
from connectors.errors import ServiceError
from console.accounts.authority import NotAllowed
from console.accounts.models import User
from console.encryption.fernet_keys import SecretUnreadable

logger = logging.getLogger(__name__)
TOO_LATE = "This took longer than ten minutes, so it was stopped. Nothing was changed."


class ReplacementFailed(Exception):
    """The account could not be replaced; the message is for people."""


def replaced_accounts(
    site: AuthorizationSite, user: User, environments: Sequence[str], grant: Grant
) -> list[str]:
    """Return the labels of other accounts that a grant would replace.

    Only accounts that are known to be different count: a service that names no account gives
    nothing to compare.
    """
    if grant.account is None or not grant.account.identifier:
        return []
    rows = site.authorizations(user).filter(environment__in=environments, credential__isnull=False)
    others = rows.exclude(credential__account_id__in=("", grant.account.identifier[:200]))
    return list(dict.fromkeys(others.values_list("credential__label", flat=True)))


def ask_first(
    site: AuthorizationSite,
    user: User,
    environments: Sequence[str],
    grant: Grant,
    replaces: Sequence[str],
    *,
    flow: Flow | None = None,
) -> PendingGrant:
    """Keep a grant aside until the person decides.

    Raise ``ServiceError`` if the flow was stopped or the connection deleted in the meantime.
    """
    expires_at = timezone.now() + PENDING_LIFETIME
    try:
        with transaction.atomic():
            pending = PendingGrant.objects.create(
                user=user,
                connection=site.connection,
                organization=site.organization,
                environments=list(environments),
                flow=flow,
                client=grant.client,
                label=build_credential(site, user, grant).label,
                replaces=list(replaces),
                parameters=dict(grant.parameters),
                grant=_as_json(grant),
                expires_at=expires_at,
            )
            if flow:
                exchanging = Flow.objects.filter(pk=flow.pk, outcome=Flow.Outcome.EXCHANGING)
                if not exchanging.update(outcome=Flow.Outcome.CONFIRMING, expires_at=expires_at):
                    raise ServiceError("This authorization was stopped in the meantime.")
    except IntegrityError:
        raise ServiceError("The connection was deleted in the meantime.") from None
    if flow:
        flow.refresh_from_db()
    return pending


def replace(pending: PendingGrant, user: User) -> Credential:
    """Authorize with the new account; raise :class:`ReplacementFailed`."""
    site = AuthorizationSite.of_flow(pending, user)
    grant = _take(pending)
    flow = pending.flow
    if flow and not _move(flow, Flow.Outcome.EXCHANGING):
        flow.refresh_from_db()
        raise ReplacementFailed(_dropped(pending, grant, flow.problem or TOO_LATE))
    if site is None:
        problem = "You are no longer allowed to authorize this connection. Ask a super admin."
        raise ReplacementFailed(_dropped(pending, grant, problem))
    try:
        credential, _ = store_grant(site, user, pending.environments, grant, flow=flow)
    except (ServiceError, NotAllowed) as error:
        raise ReplacementFailed(_dropped(pending, grant, str(error))) from None
    return credential


def keep(pending: PendingGrant) -> str:
    """Keep the old account and drop the new grant; return the result, in one or two sentences."""
    grant = _take(pending)
    return _dropped(pending, grant, f"{' and '.join(pending.replaces)} is still used.")


def drop_expired() -> int:
    """Drop the grants that nobody has confirmed in time; return how many."""
    dropped = 0
    for pending in PendingGrant.objects.filter(expires_at__lte=timezone.now()):
        if not PendingGrant.objects.filter(pk=pending.pk).delete()[0]:
            continue  # it was decided in the meantime
        try:
            _dropped(pending, _from_json(pending), TOO_LATE)
        except Exception:  # an error must not keep this secret or the next ones
            logger.exception("The pending grant %s was erased without a revocation.", pending.pk)
        dropped += 1
    return dropped


def _take(pending: PendingGrant) -> Grant:
    """Delete the row and return its grant, once; raise :class:`ReplacementFailed`."""
    rows = PendingGrant.objects.filter(pk=pending.pk, expires_at__gt=timezone.now())
    if not rows.delete()[0]:
        raise ReplacementFailed(TOO_LATE)
    try:
        return _from_json(pending)
    except SecretUnreadable:
        raise ReplacementFailed("Its secret cannot be read. Authorize again.") from None


def _dropped(pending: PendingGrant, grant: Grant, problem: str) -> str:
    """End the flow, and revoke a grant that is not stored; return the result."""
    site = AuthorizationSite.of_flow(pending, pending.user)
    result = ""
    if site:
        result = revoke_late_tokens(build_credential(site, pending.user, grant))
    words = f"{problem} {result}".rstrip()
    if pending.flow:
        Flow.objects.filter(pk=pending.flow.pk).waiting().end(Flow.Outcome.FAILED, words)
    return words


def _move(flow: Flow, outcome: Flow.Outcome) -> bool:
    rows = Flow.objects.filter(pk=flow.pk, outcome=Flow.Outcome.CONFIRMING)
    return bool(rows.update(outcome=outcome))


def _as_json(grant: Grant) -> dict[str, Any]:
    account = grant.account
    return {
        "secret": dict(grant.secret),
        "account": [account.label, account.identifier] if account else None,
        "kept": dict(grant.kept),
        "scopes_asked": list(grant.scopes_asked),
        "scopes_granted": list(grant.scopes_granted),
        "expires_at": _text(grant.expires_at),
        "ends_at": _text(grant.ends_at),
        "is_extended": grant.is_extended,
    }


def _from_json(pending: PendingGrant) -> Grant:
    if pending.grant is None:
        raise SecretUnreadable(f"Pending grant {pending.pk} has no secret.")
    stored: Mapping[str, Any] = pending.grant.reveal()
    account = stored["account"]
    return Grant(
        secret=stored["secret"],
        account=Account(label=account[0], identifier=account[1]) if account else None,
        parameters=pending.parameters,
        kept=stored["kept"],
        scopes_asked=stored["scopes_asked"],
        scopes_granted=stored["scopes_granted"],
        client=pending.client,
        expires_at=_time(stored["expires_at"]),
        ends_at=_time(stored["ends_at"]),
        is_extended=stored["is_extended"],
    )


def _text(moment: datetime | None) -> str:
    return moment.isoformat() if moment else ""


def _time(text: str) -> datetime | None:
    return parse_datetime(text) if text else None
