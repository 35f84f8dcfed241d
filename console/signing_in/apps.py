from django.apps import AppConfig


class SigningInConfig(AppConfig):
    """How people prove who they are: passwords, second factors, guessing, the password again."""

    name = "console.signing_in"
    verbose_name = "Sign-in"

    def ready(self) -> None:
        """Listen where allauth keeps second factors and reports sign-ins."""
        # Models are loaded only now.
        from console.encryption import encrypted_rows
        from console.signing_in import browser_sessions, factor_events, factors

        encrypted_rows.register(factors.SealedFactors())

        browser_sessions.listen()
        factor_events.listen()
