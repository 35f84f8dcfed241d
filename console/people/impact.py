"""What stops working when somebody goes, and who can set it going again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.urls import reverse

from connections.authorizations.suspending import authorizations_given_by
from connections.models import Authorization, InstalledConnection
from console.accounts.models import Organization, User
from console.accounts.policy import Action, held_by
from console.choices import Environment, Level, Role


@dataclass(frozen=True, kw_only=True)
class AffectedAuthorization:
    """One authorization that its person takes with him; ``url`` is where to replace it."""

    application: str
    connection: str
    environment: str
    account: str
    state: str
    who_can: str
    url: str


def stops(user: User, organization: Organization | None = None) -> list[AffectedAuthorization]:
    """List what the person has authorized, in one organization or anywhere."""
    rows = authorizations_given_by(user, organization).select_related(
        "connection__application__organization", "organization", "credential"
    )
    rows = rows.defer("credential__secret", "credential__journal").order_by(
        "connection__application__name", "connection__name", "environment"
    )
    found = list(rows)
    addresses = _installed(found)
    return [
        AffectedAuthorization(
            application=row.connection.application.name,
            connection=row.connection.name,
            environment=row.get_environment_display(),
            account=row.credential.label,
            state=row.display.name,
            who_can=_who_can(row),
            url=addresses.get((row.connection_id, row.organization_id), "")
            if row.environment == Environment.PRODUCTION
            else row.connection.get_absolute_url(),
        )
        for row in found
    ]


def _installed(rows: Iterable[Authorization]) -> dict[tuple[object, object], str]:
    clients = [row for row in rows if row.environment == Environment.PRODUCTION]
    installed = InstalledConnection.objects.filter(
        connection__in={row.connection_id for row in clients},
        organization__in={row.organization_id for row in clients},
    )
    return {
        (each.connection_id, each.organization_id): reverse("installed_connection", args=[each.pk])
        for each in installed
    }


def _who_can(row: Authorization) -> str:
    if row.user_id or row.connection.level == Level.LOGGED_IN_USER:
        return "Nobody: it is his own, and only his calls use it"
    at_client = row.environment == Environment.PRODUCTION
    action = Action.AUTHORIZE_INSTALLED if at_client else Action.MANAGE_CONNECTIONS
    able = held_by(action)
    roles = [role.label.lower() for role in Role if role in able]
    words = " or ".join(filter(None, [", ".join(roles[:-1]), roles[-1]]))
    return f"Any {words} of {row.organization}"
