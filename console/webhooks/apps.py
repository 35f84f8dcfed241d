from django.apps import AppConfig


class WebhooksConfig(AppConfig):
    """Webhooks: messages to an application's own program about its authorizations."""

    name = "console.webhooks"
