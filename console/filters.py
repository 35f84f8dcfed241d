"""Base form for the filters of a list page, read from the query string."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

from django import forms
from django.forms.utils import flatatt
from django.http import QueryDict
from django.utils.html import format_html, format_html_join

from console.pagination import without_page


@dataclass(frozen=True, kw_only=True)
class FilterTag:
    """A filter in use; ``query`` is the query string without it."""

    name: str
    value: str
    query: str


class FilterForm(forms.Form):
    """Filters of a list page, bound to the query string.

    Every field is optional, and a value that is not valid is ignored: no link to a list page is
    ever an error. Subclasses add the choices that depend on ``user`` in ``__init__`` and narrow
    their rows by :attr:`chosen`.
    """

    def __init__(self, params: QueryDict, *, user: Any) -> None:
        self.params = _without_nul(params)
        super().__init__(self.params)
        self.user = user

    @cached_property
    def chosen(self) -> dict[str, Any]:
        """Return the valid values of the filters in use, by field name."""
        self.is_valid()
        return {name: value for name, value in self.cleaned_data.items() if value}

    def boxes(self) -> list[forms.BoundField]:
        """Return the fields in the order of the page."""
        return list(self)

    def tags(self) -> list[FilterTag]:
        """List the filters in use, each with the query string that removes it."""
        return [
            FilterTag(
                name=str(box.label),
                value=self.describe(box.name, self.chosen[box.name]),
                query=without_page(self.params, box.name).urlencode(),
            )
            for box in self.boxes()
            if box.name in self.chosen
        ]

    def query(self) -> str:
        """Return the query string of the filters, without the position of the page."""
        return without_page(self.params).urlencode()

    def describe(self, name: str, value: Any) -> str:
        """Return the value of a filter as people read it."""
        choices = dict(getattr(self.fields[name], "choices", {}))
        return str(choices.get(value, value))

    def set_choices(
        self, name: str, choices: Iterable[tuple[str, str]], *, empty: str = "Any"
    ) -> None:
        """Set the choices of a field, after one that filters nothing."""
        field = cast(forms.ChoiceField, self.fields[name])
        field.choices = [("", empty), *choices]


class FlatSelect(forms.Select):
    """A select without option groups, rendered without Django's two templates per option."""

    def _render(self, template_name: str, context: dict[str, Any], renderer: Any = None) -> Any:
        widget = context["widget"]
        options = (option for _, group, _ in widget["optgroups"] for option in group)
        return format_html(
            '<select name="{}"{}>{}</select>',
            widget["name"],
            flatatt(widget["attrs"]),
            format_html_join(
                "",
                '<option value="{}"{}>{}</option>',
                ((o["value"], flatatt(o["attrs"]), o["label"]) for o in options),
            ),
        )


def _without_nul(params: QueryDict) -> QueryDict:
    """Copy a query string and remove NUL characters, which PostgreSQL does not accept."""
    copy = params.copy()
    for name, values in params.lists():
        copy.setlist(name, [value.replace("\0", "") for value in values])
    return copy
