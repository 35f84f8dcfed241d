from django.apps import AppConfig


class HealthConfig(AppConfig):
    """Health of authorizations: checks, the list of problems, and notices by mail."""

    name = "console.health"
