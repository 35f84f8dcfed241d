"""Who may do what: the one table that views, querysets and tests read."""

from __future__ import annotations

from enum import StrEnum

from django.db import models


class Role(models.TextChoices):
    """What a person is in an organisation; one role each."""

    SUPER_ADMIN = "super_admin", "Super admin"
    ADMIN = "admin", "Admin"
    DEVELOPER = "developer", "Developer"
    USER = "user", "User"


class Action(StrEnum):
    """Something a person may be allowed to do with what an organisation owns."""

    MANAGE_CONNECTIONS = "connections:manage"
    MANAGE_COMPONENTS = "components:manage"
    PUBLISH = "releases:publish"
    MANAGE_OAUTH_CLIENTS = "oauth_clients:manage"
    CREATE_APPLICATIONS = "applications:create"


ALLOWED: dict[Action, frozenset[Role]] = {
    Action.MANAGE_CONNECTIONS: frozenset({Role.SUPER_ADMIN, Role.DEVELOPER}),
    Action.MANAGE_COMPONENTS: frozenset({Role.SUPER_ADMIN, Role.DEVELOPER}),
    Action.PUBLISH: frozenset({Role.SUPER_ADMIN, Role.DEVELOPER}),
    Action.MANAGE_OAUTH_CLIENTS: frozenset({Role.SUPER_ADMIN}),
    Action.CREATE_APPLICATIONS: frozenset({Role.SUPER_ADMIN}),
}
