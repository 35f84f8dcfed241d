from django.apps import AppConfig


class SigningInConfig(AppConfig):
    """Sign-in: passwords, second factors, lockout, reauthentication and sessions."""

    name = "console.signing_in"
    verbose_name = "Sign-in"

    def ready(self) -> None:
        """Connect the signal receivers, and register second factors for key rotation."""
        # These import models, which are loaded only now.
        from console.encryption import encrypted_rows
        from console.signing_in import browser_sessions, factor_events, factors

        encrypted_rows.register(factors.SealedFactors())

        browser_sessions.connect_signals()
        factor_events.connect_signals()
