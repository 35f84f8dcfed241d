"""Filters of the list of components."""

from __future__ import annotations

from django import forms
from django.db.models import Q, QuerySet

from console.applications.models import Application
from console.choices import ComponentKind
from console.column_sort import SortColumn
from console.components.models import Component
from console.filters import FilterForm

#: An index of an application's components holds the columns that can be sorted.
COLUMNS = (
    SortColumn(name="name", label="Name"),
    SortColumn(name="kind", label="Kind"),
    SortColumn(name="link_name", label="Link name", by="link_name"),
    SortColumn(name="changed", label="Changed", by="updated_at", is_descending=True),
)


class ComponentFilterForm(FilterForm):
    """Filter components by name, kind, and the connection that they call."""

    q = forms.CharField(label="Search", required=False, max_length=100)
    kind = forms.ChoiceField(
        label="Kind", required=False, choices=[("", "Any"), *ComponentKind.choices]
    )
    connection = forms.CharField(label="Connection", required=False, max_length=100)

    def boxes(self) -> list[forms.BoundField]:
        """Return the filter that only a tag shows; the others have a field on the page."""
        return [self["connection"]]

    def components(self, application: Application) -> QuerySet[Component]:
        """Return the components of an application, narrowed by the filters."""
        rows = Component.objects.filter(application=application)
        if words := self.chosen.get("q"):
            rows = rows.filter(Q(name__icontains=words) | Q(link_name__icontains=words))
        if kind := self.chosen.get("kind"):
            rows = rows.filter(kind=kind)
        if connection := self.chosen.get("connection"):
            rows = rows.filter(references__connection__link_name=connection)
        return rows
