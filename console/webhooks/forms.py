"""What people fill in about webhooks."""

from __future__ import annotations

from django import forms

from connectors.errors import ServiceForbidden
from connectors.http.ssrf import validate_url
from console.webhooks.models import Webhook


class WebhookForm(forms.Form):
    """The address to tell."""

    url = forms.CharField(
        label="Address",
        max_length=Webhook._meta.get_field("url").max_length,
        help_text="It begins with https:// and answers a POST with a status of 2xx.",
        widget=forms.URLInput(
            attrs={"placeholder": "https://app.example.com/webhooks", "autocomplete": "off"}
        ),
        error_messages={"required": "Say where your program waits for messages."},
    )

    def clean_url(self) -> str:
        """Judge it as every address that the console calls."""
        url: str = self.cleaned_data["url"]
        try:
            validate_url(url, service="The webhook")
        except ServiceForbidden as error:
            raise forms.ValidationError(str(error)) from None
        if "#" in url:
            raise forms.ValidationError("Leave out the part from # on: it is never sent.")
        return url
