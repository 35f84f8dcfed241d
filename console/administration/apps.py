from django.apps import AppConfig


class AdministrationConfig(AppConfig):
    """The admin pages of the console; ``admin.py`` lists them all."""

    name = "console.administration"
