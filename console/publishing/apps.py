from django.apps import AppConfig


class PublishingConfig(AppConfig):
    """What ships."""

    name = "console.publishing"
