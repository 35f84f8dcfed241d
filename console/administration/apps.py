from django.apps import AppConfig


class AdministrationConfig(AppConfig):
    """Every ``ModelAdmin`` of the console, on its own admin site."""

    name = "console.administration"
