"""Store the grant of a service for a connection, or reuse a stored credential."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from connections.authorizations.credential_erasure import delete_replaced, revoke_and_erase
from connections.models import (
    Authorization,
    Connection,
    Credential,
    Flow,
    InstalledConnection,
    OAuthClient,
)
from connections.models.authorization_site import AuthorizationSite
from connections.setup.default_names import default_label
from connectors.api.check_call import Account, check
from connectors.errors import ServiceError
from console.accounts.authority import check_and_lock
from console.accounts.models import User
from console.audit.actions import AuditAction
from console.audit.log import record
from console.choices import Environment


@dataclass(frozen=True, kw_only=True)
class Grant:
    """The grant of a service, before it is stored as a credential."""

    secret: Mapping[str, str] = field(repr=False)
    account: Account | None
    #: Why the service refused the secret in the check call; such a grant is not stored.
    refusal: str = ""
    parameters: Mapping[str, str]
    kept: Mapping[str, str] = field(default_factory=dict)
    scopes_asked: Sequence[str] = ()
    scopes_granted: Sequence[str] = ()
    client: OAuthClient | None = None
    expires_at: datetime | None = None
    ends_at: datetime | None = None
    is_extended: bool = False


def store_typed_credential(
    site: AuthorizationSite, user: User, environments: Sequence[str], secret: Mapping[str, str]
) -> tuple[Credential, list[str]]:
    """Verify a typed credential with the check call, then store it."""
    return store_grant(site, user, environments, check_typed_credential(site, secret))


def check_typed_credential(site: AuthorizationSite, secret: Mapping[str, str]) -> Grant:
    """Verify a typed credential with the check call; raise ``ServiceError``."""
    snapshot = site.snapshot
    account = check(
        site.connector,
        snapshot.auth_type,
        secret=secret,
        values=snapshot.parameters,
    )
    return Grant(secret=secret, account=account, parameters=snapshot.parameters)


def reusable_credentials(site: AuthorizationSite, user: User) -> list[Credential]:
    """List the valid credentials with the same service, parameters, person and scopes.

    The developers' credentials are never offered to a client, even in the same organization. A
    client chooses the parameters, so its credentials may have any.
    """
    used = Authorization.objects.filter(credential=OuterRef("pk"), state=Authorization.State.ACTIVE)
    production = Q(environment=Environment.PRODUCTION)
    candidates = (
        Credential.objects.filter(
            Exists(used.filter(~production if site.is_home else production)),
            organization=site.organization,
            connector_slug=site.snapshot.connector,
            auth_type=site.snapshot.auth_type,
            user=site.owner(user),
            **({"parameters": site.snapshot.parameters} if site.is_home else {}),
        )
        .defer("secret", "journal")
        .order_by("-created_at")[:20]
    )
    oauth2 = site.connector.oauth2
    asked = site.scopes_to_ask(site.environments)
    return [
        c
        for c in candidates
        if not c.has_ended and not (oauth2 and asked and oauth2.missing(asked, c.scopes_granted))
    ]


def reuse(
    site: AuthorizationSite, user: User, environments: Sequence[str], credential: Credential
) -> None:
    """Authorize the connection with the credential of another authorization."""
    with transaction.atomic():
        _lock(site, user)
        replaced = _point_authorizations(
            site, user, environments, credential, site.scopes_to_ask(environments)
        )
        others = _delete_same_account(replaced, credential)
        _record(AuditAction.AUTHORIZATION_REUSED, site, user, environments, credential, replaced)
    _revoke(others, user)


def store_grant(
    site: AuthorizationSite,
    user: User,
    environments: Sequence[str],
    grant: Grant,
    *,
    flow: Flow | None = None,
) -> tuple[Credential, list[str]]:
    """Store a grant and replace the authorizations of these environments, in one transaction.

    Return the new credential and the labels of the other accounts that it replaces. Raise
    ``NotAllowed`` if the person may no longer authorize it, and ``ServiceError`` if the ``flow``
    of the grant was stopped during the token request.
    """
    with transaction.atomic():
        _lock(site, user)
        if flow:
            _complete(flow)
        credential = build_credential(site, user, grant)
        credential.save(force_insert=True)
        replaced = _point_authorizations(site, user, environments, credential, grant.scopes_asked)
        others = _delete_same_account(replaced, credential)
        given = AuditAction.AUTHORIZATION_REPLACED if replaced else AuditAction.AUTHORIZATION_GIVEN
        _record(given, site, user, environments, credential, replaced)
    _revoke(others, user)
    return credential, [c.label for c in others]


def build_credential(site: AuthorizationSite, user: User, grant: Grant) -> Credential:
    """Return the unsaved credential of a grant."""
    label = grant.account.label if grant.account else ""
    return Credential(
        organization=site.organization,
        connector_slug=site.snapshot.connector,
        auth_type=site.snapshot.auth_type,
        client=grant.client,
        user=site.owner(user),
        parameters=dict(grant.parameters),
        kept=dict(grant.kept),
        label=label or _free_label(site),
        account_id=grant.account.identifier[:200] if grant.account else "",
        scopes_granted=list(grant.scopes_granted),
        secret=dict(grant.secret),
        expires_at=grant.expires_at,
        ends_at=grant.ends_at,
        is_extended=grant.is_extended,
        checked_at=timezone.now() if grant.account else None,
    )


def _complete(flow: Flow) -> None:
    """Complete a flow, unless it was stopped since its callback arrived."""
    exchanging = Flow.objects.filter(pk=flow.pk, outcome=Flow.Outcome.EXCHANGING)
    if not exchanging.end(Flow.Outcome.COMPLETED, ""):
        stopped = Flow.objects.filter(pk=flow.pk).values_list("problem", flat=True).first()
        raise ServiceError(stopped or "This authorization was stopped in the meantime.")


def _delete_same_account(
    replaced: Sequence[Credential], credential: Credential
) -> list[Credential]:
    """Delete the replaced credentials of the same account; return those of other accounts.

    A service may revoke the new grant of an account together with the old one, so only the
    grants of accounts that are known to be different are revoked.
    """
    others = [c for c in replaced if c.account_id and c.account_id != credential.account_id]
    delete_replaced(c for c in replaced if c not in others)
    return others


def _revoke(credentials: Sequence[Credential], user: User) -> None:
    """Revoke replaced grants at their services, after the new grant is stored."""
    for credential in credentials:
        revoke_and_erase(credential.pk, user)


def _lock(site: AuthorizationSite, user: User) -> None:
    """Lock the connection and the person's permission until the transaction ends."""
    check_and_lock(user, site.organization, site.action)
    rows = Connection.objects.select_for_update().filter(pk=site.connection.pk)
    if not rows.exists():
        raise ServiceError("The connection was deleted in the meantime.")
    if not site.is_home:
        installed = InstalledConnection.objects.live().filter(
            connection=site.connection, organization=site.organization
        )
        if not installed.select_for_update().exists():
            raise ServiceError(not_installed_message(site.connection))


def not_installed_message(connection: Connection) -> str:
    """Return why a client can no longer authorize a connection."""
    return f"{connection.application} is no longer installed here, or its license has ended."


def _point_authorizations(
    site: AuthorizationSite,
    user: User,
    environments: Sequence[str],
    credential: Credential,
    scopes_asked: Sequence[str],
) -> list[Credential]:
    """Set the credential of these environments' authorizations; return the replaced ones."""
    replaced = []
    for environment in environments:
        slot: dict[str, Any] = {
            "connection": site.connection,
            "organization": site.organization,
            "environment": environment,
            "user": site.owner(user),
        }
        old = Authorization.objects.filter(**slot).select_related("credential").first()
        if old and old.credential and old.credential != credential:
            replaced.append(old.credential)
        Authorization.objects.update_or_create(
            **slot,
            defaults={
                "authorized_by": user,
                "scopes_asked": list(scopes_asked),
                "credential": credential,
                "state": Authorization.State.ACTIVE,
                "reason": "",
                "reason_code": "",
                "authorized_at": timezone.now(),
            },
        )
    return replaced


def _record(
    action: AuditAction,
    site: AuthorizationSite,
    user: User,
    environments: Sequence[str],
    credential: Credential,
    replaced: Sequence[Credential],
) -> None:
    record(
        action,
        site.organization,
        user,
        site.connection,
        account=credential.label,
        environments=[str(environment) for environment in environments],
        scopes=credential.scopes_granted,
        instead_of=list(dict.fromkeys(old.label for old in replaced)),
    )


def _free_label(site: AuthorizationSite) -> str:
    used = Credential.objects.filter(
        organization=site.organization, connector_slug=site.snapshot.connector
    ).values_list("label", flat=True)
    return default_label(site.connector, set(used))


def seconds_from_now(seconds: int | None) -> datetime | None:
    """Return the time in so many seconds, or ``None`` for an unknown lifetime."""
    return None if seconds is None else timezone.now() + timedelta(seconds=seconds)
