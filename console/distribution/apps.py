from django.apps import AppConfig


class DistributionConfig(AppConfig):
    """Sharing, the marketplace and installed applications."""

    name = "console.distribution"
