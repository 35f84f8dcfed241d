from django.apps import AppConfig


class AuditConfig(AppConfig):
    """What happened, and who did it."""

    name = "console.audit"
    verbose_name = "Audit log"

    def ready(self) -> None:
        """Listen where allauth and Django tell of signing in and out."""
        from console.audit import sign_in_events

        sign_in_events.listen()
