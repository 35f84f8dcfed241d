from django.apps import AppConfig


class ComponentsConfig(AppConfig):
    """The parts of applications."""

    name = "console.components"
