from django.apps import AppConfig


class WebhooksConfig(AppConfig):
    """Whom an application tells when an authorization begins, stops, or works again."""

    name = "console.webhooks"
