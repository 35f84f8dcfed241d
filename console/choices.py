"""Choices that more than one room uses: environments, authorization levels, roles, kinds."""

from __future__ import annotations

from django.db import models


class Environment(models.TextChoices):
    """Where a connection acts. ``ALL`` is Development and Stage with one authorization."""

    ALL = "all", "Development and Stage"
    DEVELOPMENT = "development", "Development"
    STAGE = "stage", "Stage"
    PRODUCTION = "production", "Production"


class Level(models.TextChoices):
    """Who authorizes a connection where the application is installed."""

    ADMINISTRATOR = "administrator", "Administrator"
    LOGGED_IN_USER = "logged_in_user", "Logged-in User"


class Role(models.TextChoices):
    """What a person is in an organization; each member has exactly one role."""

    SUPER_ADMIN = "super_admin", "Super admin"
    ADMIN = "admin", "Admin"
    DEVELOPER = "developer", "Developer"
    USER = "user", "User"


class ComponentKind(models.TextChoices):
    """What a component is."""

    FORM = "form", "Form"
    REPORT = "report", "Report"
    PAGE = "page", "Page"
    WORKFLOW = "workflow", "Workflow"
    FUNCTION = "function", "Function"
