from django.apps import AppConfig


class InvocationsConfig(AppConfig):
    """What was called, by whom, and what came of it."""

    name = "console.invocations"
