"""Forms of the connection wizard, one for each step.

The details page of a connection uses the forms for its name and permissions, too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from django import forms
from django.db import transaction
from django.utils import timezone

from connections.models import Connection
from connections.setup.drafting import is_name_taken
from connections.setup.parameter_fields import ParametersForm
from connectors.definitions.auth_type import AuthType
from connectors.definitions.schema import ScopeAction, ScopeModule
from console.accounts.policy import Action
from console.applications.models import Application
from console.choices import Level
from console.optimistic_lock import ConflictCheckMixin

AUTH_TYPE_NAMES: Mapping[str, str] = {
    AuthType.OAUTH2: "OAuth 2: sign in on the service's own page",
    AuthType.BASIC: "User name and password",
    AuthType.API_KEY: "API key",
}


class ConnectionForm(ConflictCheckMixin, forms.ModelForm):
    """Base form for one wizard step. It updates only its own fields of the connection.

    It saves only while the connection still has the status it had when it was loaded, so a form
    submitted late from another tab never turns a created connection back into a draft.
    ``step`` names the step of the wizard.
    """

    step: ClassVar[str] = ""

    class Meta:
        model = Connection
        fields: ClassVar[list[str]] = []

    def values(self) -> dict[str, Any]:
        """Return the model field values that this form saves."""
        return {name: self.cleaned_data[name] for name in self._meta.fields or ()}

    def save(self, commit: bool = True, *, answered: bool = False) -> Connection:
        """Save the fields; with ``answered``, also mark this wizard step as answered.

        Raise :class:`~console.optimistic_lock.EditConflict` if someone else changed the values.
        """
        connection: Connection = self.instance
        values = self.values()
        for name, value in values.items():
            setattr(connection, name, value)
        with transaction.atomic():
            rows = Connection.objects.filter(pk=connection.pk, status=connection.status)
            current = rows.select_for_update(of=("self",)).select_related("application").first()
            if current is None:
                return connection
            self.raise_on_conflict(current)
            if answered and self.step not in current.answered:
                values["answered"] = connection.answered = [*current.answered, self.step]
            rows.update(**values, updated_at=timezone.now())
        return connection


class RenameForm(ConnectionForm):
    """The name of a connection."""

    class Meta:
        model = Connection
        fields = ["name"]

    def display_values(self, row: Connection) -> dict[str, str]:
        return {"Connection Name": row.name}

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if is_name_taken(self.instance, name):
            raise forms.ValidationError(
                f"{self.instance.application} already has a connection named {name}. "
                "Choose another name."
            )
        return name


class NameForm(ParametersForm, RenameForm):
    """Step 1: name, application, authentication type and the connector's parameters."""

    step = "name"

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        connector = self.instance.connector
        applications = Application.objects.allowing(user, Action.MANAGE_CONNECTIONS)
        self.fields["application"] = forms.ModelChoiceField(
            applications, empty_label=None, initial=self.instance.application
        )
        self.user = user
        if len(connector.auth_types) > 1:
            self.fields["auth_type"] = forms.ChoiceField(
                label="How it authorizes",
                choices=[(kind, AUTH_TYPE_NAMES[kind]) for kind in connector.auth_types],
                initial=self.instance.auth_type,
                widget=forms.RadioSelect,
            )
        self.add_parameter_fields(connector.parameters, self.instance.parameters)

    def clean(self) -> dict[str, Any]:
        super().clean()
        self.clean_parameters(self.instance.connector)
        return self.cleaned_data

    def connector_fields(self) -> list[forms.BoundField]:
        """Return the fields that depend on the connector."""
        return [self[name] for name in self.fields if name not in ("name", "application")]

    def clean_application(self) -> Application:
        application: Application = self.cleaned_data["application"]
        other_draft = (
            Connection.objects.drafts()
            .filter(
                application=application,
                connector_slug=self.instance.connector_slug,
                created_by=self.user,
            )
            .exclude(pk=self.instance.pk)
        )
        if other_draft.exists():
            raise forms.ValidationError(
                f"You have another draft for {self.instance.connector.name} in {application}. "
                "Finish or discard that one first."
            )
        return application

    def display_values(self, row: Connection) -> dict[str, str]:
        parameters = {
            parameter.label: parameter.choices.get(value, value)
            for parameter in row.connector.parameters
            for value in [row.parameters.get(parameter.name, "")]
        }
        return {
            **super().display_values(row),
            "Application": str(row.application),
            "How it authorizes": AUTH_TYPE_NAMES.get(row.auth_type, row.auth_type),
            **parameters,
        }

    def values(self) -> dict[str, Any]:
        return {
            "name": self.cleaned_data["name"],
            "application": self.cleaned_data["application"],
            "auth_type": self.cleaned_data.get("auth_type") or self.instance.auth_type,
            "parameters": self.parameters,
        }


class LevelForm(ConnectionForm):
    """Step 2: who authorizes the connection in client organizations."""

    step = "level"

    class Meta:
        model = Connection
        fields = ["level"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        supported = self.instance.connector.levels
        self.fields["level"] = forms.ChoiceField(
            choices=[choice for choice in Level.choices if choice[0] in supported],
            widget=forms.RadioSelect,
        )
        self.supports_logged_in_user = Level.LOGGED_IN_USER in supported
        self.logged_in_user_checked = self["level"].value() == Level.LOGGED_IN_USER
        self.administrator_checked = not self.logged_in_user_checked

    def display_values(self, row: Connection) -> dict[str, str]:
        return {"Who authorizes": row.get_level_display()}


class PermissionsForm(ConnectionForm):
    """Step 3, for OAuth 2 only: All Actions, or a selection of scopes."""

    step = "permissions"

    class Meta:
        model = Connection
        fields = ["all_actions"]
        labels = {"all_actions": "All Actions"}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.oauth2 = self.instance.connector.oauth2
        listed = [action.scope for module in self.oauth2.modules for action in module.actions]
        self.fields["scopes"] = forms.MultipleChoiceField(
            label="Permissions",
            required=False,
            choices=[(scope, scope) for scope in listed],
            widget=forms.CheckboxSelectMultiple,
        )
        self.initial["scopes"] = [s for s in self.instance.scopes if s in listed]
        if self.oauth2.typed_scopes:
            self.fields["typed"] = forms.CharField(
                label="Other scopes",
                required=False,
                max_length=2000,
                help_text="Scopes that are not in this list, separated by spaces.",
            )
            self.initial["typed"] = " ".join(s for s in self.instance.scopes if s not in listed)

    def add(self, scopes: Iterable[str]) -> list[str]:
        """Preselect scopes in addition to the saved ones; return those that are new."""
        listed = [action.scope for module in self.oauth2.modules for action in module.actions]
        chosen = self.initial["scopes"]
        added = [s for s in dict.fromkeys(scopes) if s in listed and s not in chosen]
        self.initial["scopes"] = [*chosen, *added]
        return [] if self.instance.all_actions else added

    def display_values(self, row: Connection) -> dict[str, str]:
        chosen = ", ".join(sorted(row.scopes)) or "None"
        return {"Permissions": "All Actions" if row.all_actions else chosen}

    def tree(self) -> list[tuple[ScopeModule, list[tuple[ScopeAction, bool]]]]:
        """Return each module with its actions, each with whether it is selected."""
        selected = self._selected()
        return [
            (module, [(action, action.scope in selected) for action in module.actions])
            for module in self.oauth2.modules
        ]

    def open_modules(self) -> set[str]:
        """Return the names of the modules with a selected action."""
        return {
            module.name
            for module, actions in self.tree()
            if any(selected for _, selected in actions)
        }

    def is_small(self) -> bool:
        return self.total_count() <= 12

    def total_count(self) -> int:
        return sum(len(module.actions) for module in self.oauth2.modules)

    def selected_count(self) -> int:
        return self.total_count() if self["all_actions"].value() else len(self._selected())

    def _selected(self) -> set[str]:
        return set(self["scopes"].value() or [])

    def clean_typed(self) -> list[str]:
        typed: list[str] = self.cleaned_data["typed"].split()
        invalid = [scope for scope in typed if not re.fullmatch(self.oauth2.typed_scopes, scope)]
        if invalid:
            raise forms.ValidationError(f"{invalid[0]} is not a valid scope of this service.")
        return typed

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        chosen = [*cleaned.get("scopes", []), *cleaned.get("typed", [])]
        if not self.errors and not chosen and not cleaned.get("all_actions"):
            self.add_error("scopes", "Choose at least one permission, or All Actions.")
        return cleaned

    def values(self) -> dict[str, Any]:
        chosen = [*self.cleaned_data["scopes"], *self.cleaned_data.get("typed", [])]
        return {**super().values(), "scopes": list(dict.fromkeys(chosen))}


class EnvironmentsForm(ConnectionForm):
    """Step 4: one authorization for Development and Stage, or one for each."""

    step = "environments"

    class Meta:
        model = Connection
        fields = ["separate_environments"]
        labels = {
            "separate_environments": "Use different authorizations for each environment",
        }

    def display_values(self, row: Connection) -> dict[str, str]:
        separate = "Different authorizations for each environment"
        return {"Environments": separate if row.separate_environments else "One for both"}
