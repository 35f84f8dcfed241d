from django.apps import AppConfig


class InvitingConfig(AppConfig):
    """How people come into an organization, and organizations to another one as its clients."""

    name = "console.inviting"
    verbose_name = "Invitations"
