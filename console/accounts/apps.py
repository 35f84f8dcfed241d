from django.apps import AppConfig
from django.core.checks import Tags, register


class AccountsConfig(AppConfig):
    """Users, organizations, roles and the access policy."""

    name = "console.accounts"
    verbose_name = "People"

    def ready(self) -> None:
        from console.accounts.checks import check_routes  # models are loaded only now

        register(check_routes, Tags.urls)
