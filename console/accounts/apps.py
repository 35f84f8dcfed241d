from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Who uses the console."""

    name = "console.accounts"
    verbose_name = "People"
