from django.apps import AppConfig


class SavedFiltersConfig(AppConfig):
    """Filters of lists that people keep under a name."""

    name = "console.saved_filters"
