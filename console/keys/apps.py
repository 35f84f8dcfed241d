from django.apps import AppConfig


class KeysConfig(AppConfig):
    """API keys of applications, and tokens that identify a person to them."""

    name = "console.keys"

    def ready(self) -> None:
        """Save when keys were last used, after each response."""
        from django.core.signals import request_finished

        from console.keys.last_used import write

        request_finished.connect(lambda **kwargs: write(), weak=False, dispatch_uid="keys.using")
