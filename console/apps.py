from __future__ import annotations

from django.apps import AppConfig
from django.contrib.admin.apps import SimpleAdminConfig


class ConsoleConfig(AppConfig):
    """The project: settings, and what all of its apps use."""

    name = "console"


class ConsoleAdminConfig(SimpleAdminConfig):
    """Django admin on the console's own site, without the admin pages of other apps."""

    default_site = "console.administration.site.ConsoleAdminSite"

    def ready(self) -> None:
        super().ready()
        import console.administration.admin  # noqa: F401  imports models, which are loaded now
