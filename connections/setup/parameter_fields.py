"""Form fields for a connector's parameters, such as the data center or the tenant of an account."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from django import forms

from connectors.definitions.schema import Connector, Parameter
from connectors.definitions.typed_parameter import NotAParameter, normalized


class ParametersForm(forms.BaseForm):
    """Mixin for forms that ask for a connector's parameters, one field for each."""

    def add_parameter_fields(
        self, parameters: Iterable[Parameter], initial: Mapping[str, str]
    ) -> None:
        for parameter in parameters:
            self.fields[f"parameter_{parameter.name}"] = parameter_field(
                parameter, initial.get(parameter.name, parameter.default)
            )

    def clean_parameters(self, connector: Connector) -> None:
        """Normalize the values in ``cleaned_data``, such as a full URL typed for a host."""
        values = self.parameters
        for parameter in connector.parameters:
            if parameter.name in values:
                name = f"parameter_{parameter.name}"
                try:
                    self.cleaned_data[name] = normalized(
                        values[parameter.name], parameter, connector, values
                    )
                except NotAParameter as error:
                    self.add_error(name, str(error))

    @property
    def parameters(self) -> dict[str, str]:
        """Return the values by parameter name."""
        return {
            name.removeprefix("parameter_"): value
            for name, value in self.cleaned_data.items()
            if name.startswith("parameter_")
        }


def parameter_field(parameter: Parameter, initial: str) -> forms.Field:
    """Return a select for a parameter with choices, a text box for any other."""
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
