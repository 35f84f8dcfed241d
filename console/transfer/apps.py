from django.apps import AppConfig


class TransferConfig(AppConfig):
    """How an application leaves a console, and how it comes into one."""

    name = "console.transfer"
