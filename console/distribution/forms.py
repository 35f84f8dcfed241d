"""Forms for clients, shares, licenses, listings and reviews."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Any, ClassVar

from django import forms
from django.core.validators import URLValidator
from django.utils import timezone

from console.applications.models import Application
from console.distribution.models import License, Listing, Share
from console.distribution.pictures import MAX_BYTES, InvalidPicture, SanitizedPicture, sanitize
from console.inviting.client_organizations import clients_of
from console.names import NameFormField


class ReleaseChoiceField(forms.ModelChoiceField):
    """Choose a release of an application, newest first; the one in Stage is preselected.

    Only releases with a number ``above`` the given one are choices.
    """

    def __init__(self, application: Application, *, above: int = 0) -> None:
        releases = application.releases.filter(number__gt=above).defer("content")
        super().__init__(
            releases.prefetch_related("stages"),
            label="Release",
            empty_label=None,
            initial=releases.filter(stages__application=application).first(),
        )

    def label_from_instance(self, release: Any) -> str:
        words = f"{release} (in Stage)" if release.stages.all() else str(release)
        return f"{words}: {release.note}" if release.note else words


class InviteForm(forms.Form):
    """Invite a client by e-mail."""

    email = forms.EmailField(
        label="E-mail address",
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
        help_text="The address of a person who is, or will be, super admin of the client.",
    )


class LicenseForm(forms.Form):
    """Choose how long a client may use an application."""

    license = forms.ChoiceField(
        label="License",
        choices=License.choices,
        initial=License.TRIAL_30,
        widget=forms.RadioSelect,
        help_text="A trial starts when the client installs the application.",
    )
    ends_on = forms.DateField(
        label="Last day of a subscription",
        required=False,
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        help_text="Leave empty for a subscription without an end date.",
    )

    def clean_ends_on(self) -> date | None:
        day: date | None = self.cleaned_data["ends_on"]
        if day and day < timezone.localdate():
            raise forms.ValidationError("This date is in the past. Choose a later date.")
        return day

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        license = cleaned.get("license")
        if cleaned.get("ends_on") and license and License(license).lasts:
            self.add_error("ends_on", "A trial ends automatically. Leave this field empty.")
        return cleaned

    @property
    def ends_at(self) -> datetime | None:
        """Return the end of the last day, in the current time zone."""
        day = self.cleaned_data["ends_on"]
        return timezone.make_aware(datetime.combine(day, time.max)) if day else None


class ShareForm(LicenseForm):
    """Share an application with a client: which release, and for how long."""

    field_order = ["client", "release", "license", "ends_on"]

    def __init__(self, *args: Any, application: Application, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["client"] = forms.ModelChoiceField(
            clients_of(application.organization), label="Client", empty_label=None
        )
        self.fields["release"] = ReleaseChoiceField(application)
        self.order_fields(self.field_order)


class ReleaseForm(forms.Form):
    """Choose a newer release for a client."""

    def __init__(self, *args: Any, share: Share, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["release"] = ReleaseChoiceField(share.application, above=share.release.number)


class ListingForm(forms.ModelForm):
    """Describe an application in the marketplace; its permissions are read from the release."""

    help_url = forms.URLField(
        label="Help page",
        assume_scheme="https",
        widget=forms.URLInput(attrs={"autocomplete": "off"}),
        help_text="A page that explains how to use the application.",
    )

    class Meta:
        model = Listing
        fields: ClassVar[list[str]] = ["title", "summary", "description", "help_url", "release"]
        widgets: ClassVar[dict[str, Any]] = {
            "title": forms.TextInput(attrs={"autocomplete": "off"}),
            "summary": forms.Textarea(attrs={"rows": 2}),
            "description": forms.Textarea(attrs={"rows": 10}),
        }
        help_texts: ClassVar[dict[str, str]] = {
            "summary": "One or two sentences for the marketplace, at most 160 characters.",
            "description": "What it does, and who uses it. An empty line starts a new paragraph.",
        }

    def __init__(self, *args: Any, application: Application, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["release"] = ReleaseChoiceField(application)
        # Other schemes, such as javascript:, must not become a link.
        self.fields["help_url"].validators = [URLValidator(schemes=["https", "http"])]


class PictureForm(forms.Form):
    """Upload a picture with its alternative text."""

    picture = forms.FileField(
        label="Picture",
        widget=forms.FileInput(attrs={"accept": "image/png,image/jpeg,image/webp"}),
        help_text="PNG, JPEG or WebP, at most 1 MB. Metadata, such as the location, is removed.",
    )
    words = NameFormField(
        label="Description of the picture",
        max_length=120,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text="Read to people who cannot see the picture.",
    )

    def clean_picture(self) -> SanitizedPicture:
        upload = self.cleaned_data["picture"]
        try:
            return sanitize(upload.read(MAX_BYTES + 1))
        except InvalidPicture as error:
            raise forms.ValidationError(str(error)) from None


class ReviewForm(forms.Form):
    """The decision of the person who reviews a listing, with a reason."""

    decision = forms.ChoiceField(
        label="Decision", choices=[("publish", "Publish"), ("refuse", "Refuse")]
    )
    note = forms.CharField(
        label="Reason",
        required=False,
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Required if you refuse. It is sent to the person who submitted the listing.",
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("decision") == "refuse" and not cleaned.get("note"):
            self.add_error("note", "Say what has to change before the listing can be published.")
        return cleaned
