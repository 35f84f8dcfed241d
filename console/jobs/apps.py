from django.apps import AppConfig


class JobsConfig(AppConfig):
    """Work that runs in the background: rounds, retention and their commands."""

    name = "console.jobs"
