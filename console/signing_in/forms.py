"""Sign-in forms that, unlike allauth's, do not trust unconfirmed addresses."""

from __future__ import annotations

from allauth.account import forms
from allauth.account.adapter import get_adapter
from django.forms import CharField, TextInput

from console.accounts.email_addresses import account_of, is_taken
from console.accounts.models import User


class ResetPasswordForm(forms.ResetPasswordForm):
    """Request a reset link, which goes to the stored spelling of the address."""

    def clean_email(self) -> str:
        email = User.objects.normalize_email(super().clean_email())
        user = account_of(email)
        self.users = [user] if user and user.is_active else []
        return email


class ConfirmCodeForm(forms.ConfirmEmailVerificationCodeForm):
    """Accept the mailed code unless another account has confirmed the address meanwhile."""

    code = CharField(
        label="Code",
        max_length=100,
        widget=TextInput(attrs={"autocomplete": "one-time-code"}),
    )

    def clean_code(self) -> str:
        code = forms.BaseConfirmCodeForm.clean_code(self)
        if code and is_taken(self.email, by_other_than=self.user):
            raise get_adapter().validation_error("email_taken")
        return code
