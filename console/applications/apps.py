from django.apps import AppConfig


class ApplicationsConfig(AppConfig):
    """What is built."""

    name = "console.applications"
