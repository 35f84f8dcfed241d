from django.apps import AppConfig


class SigningInConfig(AppConfig):
    """How people prove who they are: passwords, second factors, guessing, the password again."""

    name = "console.signing_in"
    verbose_name = "Sign-in"

    def ready(self) -> None:
        """Listen where allauth keeps second factors and tells of sign-ins."""
        from console.signing_in import browsers, factor_events  # models are loaded only now

        browsers.listen()
        factor_events.listen()
