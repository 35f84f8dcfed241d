"""Forms that save and rename a filter."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import QueryDict
from django.urls import Resolver404, resolve

from console.saved_filters.filter_tabs import LISTS, normalized_query
from console.saved_filters.models import MOST_FILTERS, SavedFilter


class SavedFilterForm(forms.ModelForm[SavedFilter]):
    """Name a filter. Names are unique within a list, whatever their case."""

    class Meta:
        model = SavedFilter
        fields = ["name"]

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if self.siblings().filter(name__iexact=name).exists():
            raise forms.ValidationError("You already have a filter with this name in this list.")
        return name

    def siblings(self) -> Any:
        """Return the person's other filters of the same list."""
        row = self.instance
        same = SavedFilter.objects.filter(
            user=row.user_id, organization=row.organization_id, path=row.path
        )
        return same.exclude(pk=row.pk)


class NewFilterForm(SavedFilterForm):
    """Save the current filter of a list."""

    path = forms.CharField(max_length=200)
    query = forms.CharField(max_length=1000)

    def clean_path(self) -> str:
        path: str = self.cleaned_data["path"]
        try:
            name = resolve(path).view_name
        except Resolver404:
            name = ""
        if name not in LISTS:
            raise forms.ValidationError("The filters of this page cannot be saved.")
        self.instance.path = path
        return path

    def clean_query(self) -> str:
        query = normalized_query(QueryDict(self.cleaned_data["query"]))
        if not query or len(query) > 1000:
            raise forms.ValidationError("Choose a filter first.")
        self.instance.query = query
        return query

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        if not self.errors and self.siblings().count() >= MOST_FILTERS:
            raise forms.ValidationError(
                f"A list has at most {MOST_FILTERS} saved filters. Delete one first."
            )
        return cleaned

    field_order = ("path", "query", "name")
