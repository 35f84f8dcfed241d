from __future__ import annotations

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class ConsoleConfig(AppConfig):
    """The project: its settings, and what every room uses."""

    name = "console"


class ConsoleAdminConfig(AdminConfig):
    """Django admin on this console's own site."""

    default_site = "console.administration.site.ConsoleAdminSite"
