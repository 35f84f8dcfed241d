from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class ConsoleConfig(AppConfig):
    """The shell that every page stands in, and what runs the deployment."""

    name = "console"


class ConsoleAdminConfig(AdminConfig):
    """Django admin on this console's own site."""

    default_site = "console.admin_site.ConsoleAdminSite"
