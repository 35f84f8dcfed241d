"""What the page of health can be narrowed to; the filters stand in the address."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import Q

from connections.models import InstalledConnection
from console.accounts.models import Organization
from console.accounts.policy import Action
from console.applications.models import Application
from console.health.problems import WORDS, HealthProblem, HealthProblemKind, needs


class ProblemFilterForm(forms.Form):
    """What the address may say; anything else is left out of account."""

    why = forms.ChoiceField(
        label="Why",
        required=False,
        choices=[("", "Anything"), *((kind.value, words) for kind, words in WORDS.items())],
    )
    application = forms.ModelChoiceField(
        Application.objects.none(), label="Application", required=False, empty_label="All"
    )

    def __init__(self, data: Any, *, user: Any) -> None:
        super().__init__(data)
        self.user = user
        built = Application.objects.allowing(user, Action.MANAGE_CONNECTIONS)
        clients = Organization.objects.allowing(user, Action.USE_INSTALLED)
        installed = InstalledConnection.objects.filter(organization__in=clients)
        self.fields["application"].queryset = Application.objects.filter(  # type: ignore[attr-defined]
            Q(pk__in=built.values("pk")) | Q(pk__in=installed.values("connection__application"))
        )

    def needs(self) -> list[HealthProblem]:
        """List what needs a person, narrowed by every filter that is valid."""
        self.is_valid()
        chosen = self.cleaned_data
        kind = chosen.get("why")
        return needs(
            self.user, HealthProblemKind(kind) if kind else None, chosen.get("application")
        )

    @property
    def narrows(self) -> bool:
        """Tell whether any filter is in use."""
        return any(self.cleaned_data.values())
