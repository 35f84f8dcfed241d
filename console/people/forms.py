"""Forms for people and invitations."""

from __future__ import annotations

from django import forms

from console.choices import Role


class RoleForm(forms.Form):
    """The role of a person in an organization."""

    role = forms.ChoiceField(choices=Role.choices)


class InvitePersonForm(forms.Form):
    """Invite a person into the organization, with a role."""

    email = forms.EmailField(
        label="E-mail address",
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )
    role = forms.ChoiceField(
        choices=Role.choices,
        initial=Role.DEVELOPER,
        help_text="Developers build applications. Admins authorize what is installed, and users "
        "use it. Super admins do everything, and manage people.",
    )
