from django.apps import AppConfig


class HealthConfig(AppConfig):
    """What works and what needs a person: checks, the page of it, and mail."""

    name = "console.health"
