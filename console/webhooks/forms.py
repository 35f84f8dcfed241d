"""The form that registers a webhook."""

from __future__ import annotations

from django import forms

from connectors.errors import ServiceForbidden
from connectors.http.ssrf import validate_url
from console.webhooks.models import Webhook


class WebhookForm(forms.Form):
    """The URL that receives the messages."""

    url = forms.CharField(
        label="URL",
        max_length=Webhook._meta.get_field("url").max_length,
        help_text="It begins with https:// and responds to a POST with a 2xx status.",
        widget=forms.URLInput(
            attrs={"placeholder": "https://app.example.com/webhooks", "autocomplete": "off"}
        ),
        error_messages={"required": "Enter the URL where your program receives messages."},
    )

    def clean_url(self) -> str:
        """Apply the rules for every URL that the console calls."""
        url: str = self.cleaned_data["url"]
        try:
            validate_url(url, service="The webhook")
        except ServiceForbidden as error:
            raise forms.ValidationError(str(error)) from None
        if "#" in url:
            raise forms.ValidationError("Remove the part after #. It is never sent.")
        return url
