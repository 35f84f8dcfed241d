from django.apps import AppConfig


class PeopleConfig(AppConfig):
    """Change, deactivate and remove the people of organizations."""

    name = "console.people"
    verbose_name = "People"
