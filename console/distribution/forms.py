"""What is filled in to invite, share, license, list and review."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Any, ClassVar

from django import forms
from django.core.validators import URLValidator
from django.utils import timezone

from console.accounts.models import Organization
from console.applications.models import Application
from console.distribution.models import License, Listing, Share
from console.distribution.pictures import MAX_BYTES, SanitizedPicture, InvalidPicture, clean
from console.distribution.sharing import clients_of
from console.names import NameFormField
from console.publishing.models import Release


class ReleaseChoiceField(forms.ModelChoiceField):
    """Releases by number, note and whether Stage holds them; the one in Stage is chosen."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(Release.objects.none(), *args, empty_label=None, **kwargs)

    def offer(self, application: Application, *, above: int = 0) -> None:
        """InstallOffer the releases of an application beyond a number, the newest one first."""
        releases = application.releases.filter(number__gt=above).defer("content")
        self.queryset = releases.prefetch_related("stages")
        self.initial = releases.filter(stages__application=application).first()

    def label_from_instance(self, release: Any) -> str:
        words = f"{release}, in Stage now" if release.stages.all() else str(release)
        return f"{words}: {release.note}" if release.note else words


class InviteForm(forms.Form):
    """Whom to ask in as a client."""

    email = forms.EmailField(
        label="E-mail address",
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
        help_text="Of a super admin there, or of who is to be one.",
    )


class LicenseForm(forms.Form):
    """For how long a client may use an application."""

    license = forms.ChoiceField(
        label="License",
        choices=License.choices,
        initial=License.TRIAL_30,
        widget=forms.RadioSelect,
        help_text="A trial begins when the client installs it.",
    )
    ends_on = forms.DateField(
        label="Last day of a subscription",
        required=False,
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        help_text="Empty: it has no end.",
    )

    def clean_ends_on(self) -> date | None:
        day: date | None = self.cleaned_data["ends_on"]
        if day and day < timezone.localdate():
            raise forms.ValidationError("This day is over. Choose a later one.")
        return day

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        license = cleaned.get("license")
        if cleaned.get("ends_on") and license and License(license).lasts:
            self.add_error("ends_on", "A trial ends by itself. Leave this empty.")
        return cleaned

    @property
    def ends_at(self) -> datetime | None:
        """Return the end of the last day."""
        day = self.cleaned_data["ends_on"]
        return timezone.make_aware(datetime.combine(day, time.max)) if day else None


class ShareForm(LicenseForm):
    """With whom to share an application, at which release and for how long."""

    client = forms.ModelChoiceField(Organization.objects.none(), label="Client", empty_label=None)
    release = ReleaseChoiceField(label="Release")
    field_order = ["client", "release", "license", "ends_on"]

    def __init__(self, *args: Any, application: Application, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["client"].queryset = clients_of(  # type: ignore[attr-defined]
            application.organization
        )
        self.fields["release"].offer(application)  # type: ignore[attr-defined]


class ReleaseForm(forms.Form):
    """Which newer release goes to a client."""

    release = ReleaseChoiceField(label="Release")

    def __init__(self, *args: Any, share: Share, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["release"]
        field.offer(share.application, above=share.release.number)  # type: ignore[attr-defined]


class ListingForm(forms.ModelForm):
    """What the marketplace says of an application; what it asks for is read from the release."""

    help_url = forms.URLField(
        label="Help page",
        assume_scheme="https",
        widget=forms.URLInput(attrs={"autocomplete": "off"}),
        help_text="Where people find out how to use it.",
    )
    release = ReleaseChoiceField(label="Release")

    class Meta:
        model = Listing
        fields: ClassVar[list[str]] = ["title", "summary", "description", "help_url", "release"]
        widgets: ClassVar[dict[str, Any]] = {
            "title": forms.TextInput(attrs={"autocomplete": "off"}),
            "summary": forms.Textarea(attrs={"rows": 2}),
            "description": forms.Textarea(attrs={"rows": 10}),
        }
        help_texts: ClassVar[dict[str, str]] = {
            "summary": "One or two sentences on the card, at most 160 characters.",
            "description": "What it does, and for whom. An empty line begins a new paragraph.",
        }

    def __init__(self, *args: Any, application: Application, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["release"].offer(application)  # type: ignore[attr-defined]
        # The browser must not be led to anything else from here.
        self.fields["help_url"].validators = [URLValidator(schemes=["https", "http"])]


class PictureForm(forms.Form):
    """One picture, and what it shows in words."""

    picture = forms.FileField(
        label="Picture",
        widget=forms.FileInput(attrs={"accept": "image/png,image/jpeg,image/webp"}),
        help_text="PNG, JPEG or WebP, at most 1 MB. Nothing but its pixels is kept.",
    )
    words = NameFormField(
        label="What it shows",
        max_length=120,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text="For people who cannot see it.",
    )

    def clean_picture(self) -> SanitizedPicture:
        upload = self.cleaned_data["picture"]
        try:
            return clean(upload.read(MAX_BYTES + 1))
        except InvalidPicture as error:
            raise forms.ValidationError(str(error)) from None


class ReviewForm(forms.Form):
    """What whoever reviews a listing decides, and why."""

    decision = forms.ChoiceField(
        label="Decision", choices=[("publish", "Publish"), ("refuse", "Refuse")]
    )
    note = forms.CharField(
        label="Reason",
        required=False,
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Goes to who submitted it, where you refuse.",
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("decision") == "refuse" and not cleaned.get("note"):
            self.add_error("note", "Say what has to change, so that it can be mended.")
        return cleaned
