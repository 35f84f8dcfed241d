from django.apps import AppConfig


class ConnectionsConfig(AppConfig):
    """Who is connected to what, and with which credential."""

    name = "connections"

    def ready(self) -> None:
        # Models are loaded only now.
        from connections.authorizations.metrics import AuthorizationCollector
        from console.monitoring import prometheus

        prometheus.register(AuthorizationCollector())
