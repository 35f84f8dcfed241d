from django.apps import AppConfig


class PublishingConfig(AppConfig):
    """Releases, Stage and installations."""

    name = "console.publishing"
