"""Filters of the Health page."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.db.models import Q
from django.http import QueryDict

from connections.models import InstalledConnection
from console.accounts.models import Organization
from console.accounts.policy import Action
from console.applications.models import Application
from console.filters import FilterForm
from console.health.problems import WORDS, HealthProblem, HealthProblemKind, problems_for


class ProblemFilterForm(FilterForm):
    """Filter problems by kind and application."""

    why = forms.ChoiceField(
        label="State",
        required=False,
        choices=[("", "Any"), *((kind.value, WORDS[kind]) for kind in HealthProblemKind)],
    )
    application = forms.ModelChoiceField(
        Application.objects.none(), label="Application", required=False, empty_label="All"
    )

    def __init__(self, params: QueryDict, *, user: Any) -> None:
        super().__init__(params, user=user)
        built = Application.objects.allowing(user, Action.MANAGE_CONNECTIONS)
        clients = Organization.objects.allowing(user, Action.USE_INSTALLED)
        installed = InstalledConnection.objects.filter(organization__in=clients)
        field = cast("forms.ModelChoiceField[Application]", self.fields["application"])
        field.queryset = Application.objects.filter(
            Q(pk__in=built.values("pk")) | Q(pk__in=installed.values("connection__application"))
        )

    def problems(self) -> list[HealthProblem]:
        """List the problems that this person can fix, narrowed by the filters."""
        kind = self.chosen.get("why")
        return problems_for(
            self.user, HealthProblemKind(kind) if kind else None, self.chosen.get("application")
        )

    @property
    def narrows(self) -> bool:
        """Return whether any filter is in use."""
        return bool(self.chosen)
