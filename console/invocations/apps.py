from django.apps import AppConfig


class InvocationsConfig(AppConfig):
    """The log of calls through connections, its statistics and its pages."""

    name = "console.invocations"
