from django.apps import AppConfig


class KeysConfig(AppConfig):
    """What programs come with: keys of applications, and tokens that name a person."""

    name = "console.keys"

    def ready(self) -> None:
        """Write down which keys were used when an answer is out."""
        from django.core.signals import request_finished

        from console.keys.last_used import write

        request_finished.connect(lambda **kwargs: write(), weak=False, dispatch_uid="keys.using")
