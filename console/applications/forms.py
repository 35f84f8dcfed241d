"""Forms to create an application and to change its name and launch URL."""

from __future__ import annotations

from typing import Any

from django import forms

from console.accounts.models import Organization
from console.applications.link_names import free_link_name
from console.applications.models import Application
from console.optimistic_lock import ConflictCheckMixin


class ApplicationForm(ConflictCheckMixin, forms.ModelForm):
    """The name and launch URL of an application; its link name is chosen only once."""

    class Meta:
        model = Application
        fields = ["name", "link_name", "launch_url"]
        help_texts = {
            "link_name": "Programs and URLs use it, so it cannot be changed later. Leave it empty "
            "to derive it from the name.",
        }

    def __init__(self, *args: Any, organization: Organization, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.instance.organization = organization
        if self.instance._state.adding:
            self.fields["link_name"].required = False
        else:
            del self.fields["link_name"]

    def display_values(self, row: Application) -> dict[str, str]:
        return {"Name": row.name, "Launch URL": row.launch_url}

    def clean_link_name(self) -> str:
        own = Application.objects.filter(organization=self.instance.organization)
        chosen = self.cleaned_data["link_name"]
        if not chosen and (name := self.cleaned_data.get("name")):
            return free_link_name(
                name, set(own.values_list("link_name", flat=True)), fallback="application"
            )
        if own.filter(link_name=chosen).exists():
            raise forms.ValidationError("Another application has this link name.")
        return chosen
