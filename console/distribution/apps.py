from django.apps import AppConfig


class DistributionConfig(AppConfig):
    """How applications reach client organizations, and what these do with them."""

    name = "console.distribution"
