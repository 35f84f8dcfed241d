"""Forms of accounts in Administration."""

from __future__ import annotations

from django import forms
from django.contrib.auth.forms import AdminUserCreationForm, UserChangeForm

from console.accounts.email_addresses import is_taken
from console.accounts.models import User


class _UniqueAddressForm(forms.ModelForm):
    """Reject an address that another account has confirmed, also as a secondary address."""

    def clean_email(self) -> str:
        email = User.objects.normalize_email(self.cleaned_data["email"])
        if is_taken(email, by_other_than=self.instance):
            raise forms.ValidationError(f"Another account has the address {email}.")
        return email


class NewUserForm(_UniqueAddressForm, AdminUserCreationForm):
    pass


class ChangeUserForm(_UniqueAddressForm, UserChangeForm):
    pass
