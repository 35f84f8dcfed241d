"""Choices that several apps share: environments, authorization levels, roles, component kinds."""

from __future__ import annotations

from django.db import models


class Environment(models.TextChoices):
    """Where a connection is used. ``ALL`` is one authorization for Development and Stage."""

    ALL = "all", "Development and Stage"
    DEVELOPMENT = "development", "Development"
    STAGE = "stage", "Stage"
    PRODUCTION = "production", "Production"


class Level(models.TextChoices):
    """Who authorizes a connection in a client organization."""

    ADMINISTRATOR = "administrator", "Administrator"
    LOGGED_IN_USER = "logged_in_user", "Logged-in User"


class Role(models.TextChoices):
    """The role of a member of an organization; each member has exactly one."""

    SUPER_ADMIN = "super_admin", "Super admin"
    ADMIN = "admin", "Admin"
    DEVELOPER = "developer", "Developer"
    USER = "user", "User"


class ComponentKind(models.TextChoices):
    """The kinds of components."""

    FORM = "form", "Form"
    REPORT = "report", "Report"
    PAGE = "page", "Page"
    WORKFLOW = "workflow", "Workflow"
    FUNCTION = "function", "Function"
