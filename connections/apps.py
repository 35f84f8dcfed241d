from django.apps import AppConfig


class ConnectionsConfig(AppConfig):
    """Who is joined to what."""

    name = "connections"
