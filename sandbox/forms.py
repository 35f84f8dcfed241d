"""Forms for pages and for the API."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib.auth.forms import AuthenticationForm

from sandbox.models import Contact, Order, Switches


class SignInForm(AuthenticationForm):
    error_messages = {
        "invalid_login": "The user name or the password is wrong.",
        "inactive": "This account is closed.",
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, label_suffix="", **kwargs)
        self.fields["username"].label = "User name"
        self.fields["password"].label = "Password"


class ContactForm(forms.ModelForm):
    class Meta:
        model = Contact
        fields = ["name", "email", "company"]


class OrderForm(forms.ModelForm):
    class Meta:
        model = Order
        fields = ["item", "quantity"]


class SwitchesForm(forms.ModelForm):
    expires_in = forms.CharField(
        label=Switches._meta.get_field("expires_in").verbose_name,
        help_text=Switches._meta.get_field("expires_in").help_text,
        required=False,
        max_length=200,
    )

    class Meta:
        model = Switches
        fields = Switches.names()

    def __init__(self, data: Mapping[str, Any] | None = None, *, instance: Switches) -> None:
        value = instance.expires_in
        shown = "" if value is None else "absent" if value == "absent" else json.dumps(value)
        initial = {"expires_in": shown, "slow_seconds": f"{instance.slow_seconds:g}"}
        super().__init__(data, instance=instance, initial=initial, label_suffix="")

    def clean_expires_in(self) -> object:
        text = self.cleaned_data["expires_in"].strip()
        if text in ("", "absent"):
            return text or None
        try:
            value = json.loads(text)
            json.dumps(value, ensure_ascii=False).encode()
        except (ValueError, RecursionError) as error:
            raise forms.ValidationError(
                "This is not JSON. Put text in double quotes, or enter absent."
            ) from error
        return value
