"""One form a question of the wizard; the details page asks two of them again."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from django import forms
from django.db import transaction
from django.utils import timezone

from connections.models import Connection
from connections.setup.drafting import name_taken
from connectors.definitions.schema import Connector, Parameter, ScopeAction, ScopeModule
from connectors.definitions.typed_parameter import NotAParameter, normalized
from console.accounts.policy import Action
from console.applications.models import Application
from console.choices import Level
from console.optimistic_lock import SeenForm

AUTH_TYPE_NAMES = {
    "oauth2": "OAuth 2: sign in on the service's own page",
    "basic": "User name and password",
    "api_key": "API key",
}


class ConnectionForm(SeenForm, forms.ModelForm):
    """Some fields of a connection, written alone and only while its status is as it was read.

    A late answer of another tab thus never turns a created connection into a draft again.
    ``step`` is the question of the wizard that it asks.
    """

    step: ClassVar[str] = ""

    class Meta:
        model = Connection
        fields: ClassVar[list[str]] = []

    def answers(self) -> dict[str, Any]:
        """Return the attributes of the row that this form answers."""
        return {name: self.cleaned_data[name] for name in self._meta.fields or ()}

    def save(self, commit: bool = True, *, answered: bool = False) -> Connection:
        """Write the fields, and with ``answered`` that the wizard's question is answered.

        Raise :class:`~console.optimistic_lock.ChangedMeanwhile`.
        """
        connection: Connection = self.instance
        answers = self.answers()
        for name, value in answers.items():
            setattr(connection, name, value)
        with transaction.atomic():
            rows = Connection.objects.filter(pk=connection.pk, status=connection.status)
            current = rows.select_for_update(of=("self",)).select_related("application").first()
            if current is None:
                return connection
            self.refuse_unseen(current)
            if answered and self.step not in current.answered:
                answers["answered"] = connection.answered = [*current.answered, self.step]
            rows.update(**answers, updated_at=timezone.now())
        return connection


class RenameForm(ConnectionForm):
    """The name, whether in the wizard or on the details page."""

    class Meta:
        model = Connection
        fields = ["name"]

    def described(self, row: Connection) -> dict[str, str]:
        return {"Connection Name": row.name}

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if name_taken(self.instance, name):
            raise forms.ValidationError(
                f"{self.instance.application} already has a connection named {name}. "
                "Choose another name."
            )
        return name


class ParametersForm(forms.BaseForm):
    """The part of a form that asks where an account lives, such as in which data center."""

    def ask_for(self, parameters: Iterable[Parameter], known: Mapping[str, str]) -> None:
        """Add a field for each parameter."""
        for parameter in parameters:
            self.fields[f"parameter_{parameter.name}"] = parameter_field(
                parameter, known.get(parameter.name, parameter.default)
            )

    def clean_parameters(self, connector: Connector) -> None:
        """Put into ``cleaned_data`` what was meant by what was typed."""
        typed = self.parameters
        for parameter in connector.parameters:
            if parameter.name in typed:
                name = f"parameter_{parameter.name}"
                try:
                    self.cleaned_data[name] = normalized(
                        typed[parameter.name], parameter, connector, typed
                    )
                except NotAParameter as error:
                    self.add_error(name, str(error))

    @property
    def parameters(self) -> dict[str, str]:
        """Return what was typed, by the names of the parameters."""
        return {
            name.removeprefix("parameter_"): value
            for name, value in self.cleaned_data.items()
            if name.startswith("parameter_")
        }


class NameForm(ParametersForm, RenameForm):
    """Step 1: the name, whose application it is, and where the account lives."""

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
        self.ask_for(connector.parameters, self.instance.parameters)

    def clean(self) -> dict[str, Any]:
        super().clean()
        self.clean_parameters(self.instance.connector)
        return self.cleaned_data

    def particulars(self) -> list[forms.BoundField]:
        """Give what this connector asks beside a name and an application."""
        return [self[name] for name in self.fields if name not in ("name", "application")]

    def clean_application(self) -> Application:
        application: Application = self.cleaned_data["application"]
        rival = (
            Connection.objects.drafts()
            .filter(
                application=application,
                connector_slug=self.instance.connector_slug,
                created_by=self.user,
            )
            .exclude(pk=self.instance.pk)
        )
        if rival.exists():
            raise forms.ValidationError(
                f"You have another draft for {self.instance.connector.name} in {application}. "
                "Finish or discard that one first."
            )
        return application

    def described(self, row: Connection) -> dict[str, str]:
        parameters = {
            parameter.label: parameter.choices.get(value, value)
            for parameter in row.connector.parameters
            for value in [row.parameters.get(parameter.name, "")]
        }
        return {
            **super().described(row),
            "Application": str(row.application),
            "How it authorizes": AUTH_TYPE_NAMES.get(row.auth_type, row.auth_type),
            **parameters,
        }

    def answers(self) -> dict[str, Any]:
        return {
            "name": self.cleaned_data["name"],
            "application": self.cleaned_data["application"],
            "auth_type": self.cleaned_data.get("auth_type") or self.instance.auth_type,
            "parameters": self.parameters,
        }


def parameter_field(parameter: Parameter, initial: str) -> forms.Field:
    """Ask where the account lives, such as in which data center or under which name."""
    if parameter.choices:
        return forms.ChoiceField(
            label=parameter.label,
            help_text=parameter.help,
            choices=list(parameter.choices.items()),
            initial=initial,
        )

    return forms.CharField(
        label=parameter.label,
        help_text=parameter.help,
        initial=initial,
        max_length=255,
        widget=forms.TextInput(attrs={"placeholder": parameter.example, "autocomplete": "off"}),
    )


class LevelForm(ConnectionForm):
    """Step 2: who authorizes where the application is installed."""

    step = "level"

    class Meta:
        model = Connection
        fields = ["level"]
        widgets = {"level": forms.RadioSelect}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offered = self.instance.connector.levels
        self.fields["level"].choices = [  # type: ignore[attr-defined]
            choice for choice in Level.choices if choice[0] in offered
        ]
        self.offers_logged_in_user = Level.LOGGED_IN_USER in offered
        self.chooses_logged_in_user = self["level"].value() == Level.LOGGED_IN_USER
        self.chooses_administrator = not self.chooses_logged_in_user

    def described(self, row: Connection) -> dict[str, str]:
        return {"Who authorizes": row.get_level_display()}


class PermissionsForm(ConnectionForm):
    """Step 3, OAuth 2 alone: All Actions, or some of them."""

    step = "permissions"

    scopes = forms.MultipleChoiceField(
        label="Permissions", required=False, widget=forms.CheckboxSelectMultiple
    )
    typed = forms.CharField(
        label="Other scopes",
        required=False,
        max_length=2000,
        help_text="Scopes that are not listed here, separated by spaces.",
    )

    class Meta:
        model = Connection
        fields = ["all_actions"]
        labels = {"all_actions": "All Actions"}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.oauth2 = self.instance.connector.oauth2
        listed = [action.scope for module in self.oauth2.modules for action in module.actions]
        self.fields["scopes"].choices = [(scope, scope) for scope in listed]  # type: ignore[attr-defined]
        self.initial["scopes"] = [s for s in self.instance.scopes if s in listed]
        if self.oauth2.typed_scopes:
            self.initial["typed"] = " ".join(s for s in self.instance.scopes if s not in listed)
        else:
            del self.fields["typed"]

    def described(self, row: Connection) -> dict[str, str]:
        chosen = ", ".join(sorted(row.scopes)) or "None"
        return {"Permissions": "All Actions" if row.all_actions else chosen}

    def tree(self) -> list[tuple[ScopeModule, list[tuple[ScopeAction, bool]]]]:
        """Give each module with its actions and whether each is chosen."""
        chosen = self._chosen()
        return [
            (module, [(action, action.scope in chosen) for action in module.actions])
            for module in self.oauth2.modules
        ]

    def open_modules(self) -> set[str]:
        """Name the modules in which something is chosen."""
        return {module.name for module, actions in self.tree() if any(on for _, on in actions)}

    def is_small(self) -> bool:
        return self.total_count() <= 12

    def total_count(self) -> int:
        return sum(len(module.actions) for module in self.oauth2.modules)

    def chosen_count(self) -> int:
        return self.total_count() if self["all_actions"].value() else len(self._chosen())

    def _chosen(self) -> set[str]:
        return set(self["scopes"].value() or [])

    def clean_typed(self) -> list[str]:
        typed: list[str] = self.cleaned_data["typed"].split()
        wrong = [scope for scope in typed if not re.fullmatch(self.oauth2.typed_scopes, scope)]
        if wrong:
            raise forms.ValidationError(f"{wrong[0]} is not in the form of this service's scopes.")
        return typed

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        chosen = [*cleaned.get("scopes", []), *cleaned.get("typed", [])]
        if not self.errors and not chosen and not cleaned.get("all_actions"):
            self.add_error("scopes", "Choose at least one permission, or All Actions.")
        return cleaned

    def answers(self) -> dict[str, Any]:
        chosen = [*self.cleaned_data["scopes"], *self.cleaned_data.get("typed", [])]
        return {**super().answers(), "scopes": list(dict.fromkeys(chosen))}


class EnvironmentsForm(ConnectionForm):
    """Step 4: one authorization for Development and Stage, or one for each."""

    step = "environments"

    class Meta:
        model = Connection
        fields = ["separate_environments"]
        labels = {
            "separate_environments": "Use different authorizations for each environment",
        }

    def described(self, row: Connection) -> dict[str, str]:
        separate = "Different authorizations for each environment"
        return {"Environments": separate if row.separate_environments else "One for both"}
