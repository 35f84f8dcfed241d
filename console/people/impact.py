"""What a change of people affects: the authorizations that stop when a person leaves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.urls import reverse

from connections.authorizations.suspending import authorizations_given_by
from connections.models import Authorization, InstalledConnection
from console.accounts.models import Organization, User
from console.accounts.policy import Action, roles_for
from console.choices import Environment, Level, Role


@dataclass(frozen=True, kw_only=True)
class AffectedAuthorization:
    """An authorization that stops; ``url`` is the page to replace it on, if the reader may."""

    application: str
    connection: str
    environment: str
    account: str
    state: str
    who_can: str
    url: str


def affected_authorizations(
    user: User, organization: Organization | None = None, *, reader: User
) -> list[AffectedAuthorization]:
    """List what a person has authorized, in one organization or in all of them.

    Only members of an organization can open the pages of its connections.
    """
    rows = authorizations_given_by(user, organization).select_related(
        "connection__application__organization", "organization", "credential"
    )
    rows = rows.defer("credential__secret", "credential__journal").order_by(
        "connection__application__name", "connection__name", "environment"
    )
    found = list(rows)
    urls = _urls_of_installed(found)
    own = set(reader.memberships.active().values_list("organization", flat=True))
    return [
        AffectedAuthorization(
            application=row.connection.application.name,
            connection=row.connection.name,
            environment=row.get_environment_display(),
            account=row.credential.label if row.credential else "",
            state=row.display.name,
            who_can=_who_can_replace(row),
            url=_url(row, urls) if row.organization_id in own else "",
        )
        for row in found
    ]


def _url(row: Authorization, installed: Mapping[tuple[object, object], str]) -> str:
    if row.environment == Environment.PRODUCTION:
        return installed.get((row.connection_id, row.organization_id), "")
    return row.connection.get_absolute_url()


def _urls_of_installed(rows: Iterable[Authorization]) -> dict[tuple[object, object], str]:
    in_production = [row for row in rows if row.environment == Environment.PRODUCTION]
    installed = InstalledConnection.objects.filter(
        connection__in={row.connection_id for row in in_production},
        organization__in={row.organization_id for row in in_production},
    )
    return {
        (each.connection_id, each.organization_id): reverse("installed_connection", args=[each.pk])
        for each in installed
    }


def _who_can_replace(row: Authorization) -> str:
    if row.user_id or row.connection.level == Level.LOGGED_IN_USER:
        return "Nobody: only this person's calls use it"
    in_production = row.environment == Environment.PRODUCTION
    action = Action.AUTHORIZE_INSTALLED if in_production else Action.MANAGE_CONNECTIONS
    allowed = roles_for(action)
    roles = [role.label.lower() for role in Role if role in allowed]
    words = " or ".join(filter(None, [", ".join(roles[:-1]), roles[-1]]))
    return f"Any {words} of {row.organization}"
