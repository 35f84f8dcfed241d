"""Keep what a service gave, let it replace what stood there, and use it again elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from connections.models import Authorization, Connection, Credential, OAuthClient
from connections.naming import default_label
from connections.revoking import discard_unused, give_back
from connections.standing import Level
from connectors.checking import Account, check
from connectors.errors import ServiceError
from console.accounts.models import User
from console.audit.acts import Act
from console.audit.recording import record


@dataclass(frozen=True, kw_only=True)
class Grant:
    """What a service gave: all that a credential row is made of."""

    secret: Mapping[str, str] = field(repr=False)
    account: Account | None
    parameters: Mapping[str, str]
    kept: Mapping[str, str] = field(default_factory=dict)
    scopes_asked: Sequence[str] = ()
    scopes_granted: Sequence[str] = ()
    client: OAuthClient | None = None
    expires_at: datetime | None = None
    ends_at: datetime | None = None


def with_credentials(
    connection: Connection, user: User, environments: Sequence[str], secret: Mapping[str, str]
) -> tuple[Credential, list[str]]:
    """Prove a typed credential with the check call and :func:`store` it."""
    account = check(
        connection.connector,
        connection.auth_type,  # type: ignore[arg-type]
        secret=secret,
        values=connection.parameters,
    )
    grant = Grant(secret=secret, account=account, parameters=connection.parameters)
    return store(connection, user, environments, grant)


def reusable(connection: Connection, user: User) -> list[Credential]:
    """List the live credentials with the same service, parameters, person and scopes."""
    candidates = (
        Credential.objects.filter(
            Exists(
                Authorization.objects.filter(
                    credential=OuterRef("pk"), state=Authorization.State.ACTIVE
                )
            ),
            organization=connection.application.organization_id,
            connector_slug=connection.connector_slug,
            auth_type=connection.auth_type,
            parameters=connection.parameters,
            user=_owner(connection, user),
        )
        .defer("secret", "journal")
        .order_by("-created_at")[:20]
    )
    oauth2 = connection.connector.oauth2
    asked = connection.scopes_to_ask(connection.environments)
    return [
        c
        for c in candidates
        if not c.has_ended and not (oauth2 and asked and oauth2.missing(asked, c.scopes_granted))
    ]


def reuse(
    connection: Connection, user: User, environments: Sequence[str], credential: Credential
) -> None:
    """Let the connection act with a credential that another authorization has already."""
    with transaction.atomic():
        replaced = _point_authorizations(
            connection, user, environments, credential, connection.scopes_to_ask(environments)
        )
        _record(Act.AUTHORIZATION_REUSED, connection, user, environments, credential, replaced)
    discard_unused(replaced)


def store(
    connection: Connection,
    user: User,
    environments: Sequence[str],
    grant: Grant,
) -> tuple[Credential, list[str]]:
    """Keep a grant and let it replace what stood in these environments, in one step.

    Return the new credential and the labels of the other accounts that it replaced.
    """
    organization = connection.application.organization_id
    label = grant.account.label if grant.account else ""
    with transaction.atomic():
        if not Connection.objects.select_for_update().filter(pk=connection.pk).exists():
            raise ServiceError("The connection was deleted meanwhile.")
        credential = Credential.objects.create(
            organization_id=organization,
            connector_slug=connection.connector_slug,
            auth_type=connection.auth_type,
            client=grant.client,
            user=_owner(connection, user),
            parameters=dict(grant.parameters),
            kept=dict(grant.kept),
            label=label or _free_label(connection),
            account_id=grant.account.identifier[:200] if grant.account else "",
            scopes_granted=list(grant.scopes_granted),
            secret=dict(grant.secret),
            expires_at=grant.expires_at,
            ends_at=grant.ends_at,
            checked_at=timezone.now() if grant.account else None,
        )
        replaced = _point_authorizations(
            connection, user, environments, credential, grant.scopes_asked
        )
        given = Act.AUTHORIZATION_REPLACED if replaced else Act.AUTHORIZATION_GIVEN
        _record(given, connection, user, environments, credential, replaced)
    others = [c for c in replaced if c.account_id and c.account_id != credential.account_id]
    for old in discard_unused(replaced):
        # A service may take back the new grant of an account together with the old one.
        if old in others:
            give_back(old)
    return credential, [c.label for c in others]


def _point_authorizations(
    connection: Connection,
    user: User,
    environments: Sequence[str],
    credential: Credential,
    scopes_asked: Sequence[str],
) -> list[Credential]:
    """Make the authorizations of these environments use ``credential``; return the old ones."""
    replaced = []
    for environment in environments:
        slot: dict[str, Any] = {
            "connection": connection,
            "organization_id": connection.application.organization_id,
            "environment": environment,
            "user": _owner(connection, user),
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
                "authorized_at": timezone.now(),
            },
        )
    return replaced


def _record(
    action: Act,
    connection: Connection,
    user: User,
    environments: Sequence[str],
    credential: Credential,
    replaced: Sequence[Credential],
) -> None:
    record(
        action,
        connection.application.organization_id,
        user,
        connection,
        account=credential.label,
        environments=[str(environment) for environment in environments],
        scopes=credential.scopes_granted,
        instead_of=list(dict.fromkeys(old.label for old in replaced)),
    )


def _owner(connection: Connection, user: User) -> User | None:
    return user if connection.level == Level.LOGGED_IN_USER else None


def _free_label(connection: Connection) -> str:
    used = Credential.objects.filter(
        organization=connection.application.organization_id,
        connector_slug=connection.connector_slug,
    ).values_list("label", flat=True)
    return default_label(connection.connector, set(used))


def after(seconds: int | None) -> datetime | None:
    """Return the time that many seconds from now, or nothing for an unknown lifetime."""
    return None if seconds is None else timezone.now() + timedelta(seconds=seconds)
