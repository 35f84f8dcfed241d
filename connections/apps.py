from django.apps import AppConfig


class ConnectionsConfig(AppConfig):
    """Connections, their authorizations and their credentials."""

    name = "connections"

    def ready(self) -> None:
        # Models can be imported only now.
        from connections.authorizations.metrics import AuthorizationCollector
        from console.monitoring import prometheus

        prometheus.register(AuthorizationCollector())
