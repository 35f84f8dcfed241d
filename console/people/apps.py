from django.apps import AppConfig


class PeopleConfig(AppConfig):
    """What becomes of people in an organization, and of what they have authorized."""

    name = "console.people"
    verbose_name = "People"
