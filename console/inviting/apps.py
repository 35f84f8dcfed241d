from django.apps import AppConfig


class InvitingConfig(AppConfig):
    """How people come into an organisation, and organisations to another one as its clients."""

    name = "console.inviting"
    verbose_name = "Invitations"
