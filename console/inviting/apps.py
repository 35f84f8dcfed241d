from django.apps import AppConfig


class InvitingConfig(AppConfig):
    """Invitations of people into an organization, and of organizations as its clients."""

    name = "console.inviting"
    verbose_name = "Invitations"
