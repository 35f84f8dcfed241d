"""The list of people of an organization: filters, and what each row shows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from allauth.mfa.models import Authenticator
from django import forms
from django.db.models import Exists, OuterRef, Q, QuerySet

from console.accounts.models import Membership, Organization, User
from console.choices import Role
from console.filters import FilterForm

SECOND_FACTORS = [Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]


@dataclass(frozen=True, kw_only=True)
class OrganizationMember:
    """A member of an organization, as the list shows them."""

    membership: Membership
    has_second_factor: bool

    @property
    def name(self) -> str:
        return self.membership.user.get_full_name()

    @property
    def email(self) -> str:
        return self.membership.user.email

    @property
    def last_sign_in(self) -> datetime | None:
        return self.membership.user.last_login

    @property
    def status(self) -> str:
        if not self.membership.user.is_active:
            return "Account disabled"
        return "Deactivated" if self.membership.deactivated_at else "Active"


class PersonFilterForm(FilterForm):
    """Filter people by text, role, status and second factor."""

    q = forms.CharField(label="Search", required=False, max_length=100)
    role = forms.ChoiceField(label="Role", required=False, choices=[("", "Any"), *Role.choices])
    status = forms.ChoiceField(
        label="Status",
        required=False,
        choices=[("", "Any"), ("active", "Active"), ("deactivated", "Deactivated")],
    )
    factor = forms.ChoiceField(
        label="Second factor",
        required=False,
        choices=[("", "Any"), ("yes", "Set up"), ("no", "Not set up")],
    )

    def selects(self) -> list[forms.BoundField]:
        return [self[name] for name in ("role", "status", "factor")]

    def users(self, organization: Organization) -> QuerySet[User]:
        """Return the accounts of the organization's people, narrowed by the filters."""
        chosen = self.chosen
        memberships = Membership.objects.filter(organization=organization, user=OuterRef("pk"))
        if role := chosen.get("role"):
            memberships = memberships.filter(role=role)
        if status := chosen.get("status"):
            memberships = memberships.filter(deactivated_at__isnull=status == "active")
        users = User.objects.filter(Exists(memberships))
        if words := chosen.get("q"):
            users = users.filter(
                Q(email__icontains=words)
                | Q(first_name__icontains=words)
                | Q(last_name__icontains=words)
            )
        if factor := chosen.get("factor"):
            factors = Exists(factors_of(OuterRef("pk")))
            users = users.filter(factors if factor == "yes" else ~factors)
        return users


def factors_of(user: object) -> QuerySet[Authenticator]:
    """Return a person's second factors; recovery codes are no factor of their own."""
    return Authenticator.objects.filter(user=user, type__in=SECOND_FACTORS)


def people_of(organization: Organization, users: Iterable[User]) -> list[OrganizationMember]:
    """Return these accounts as people of an organization, in the same order."""
    keys = [user.pk for user in users]
    rows = Membership.objects.filter(organization=organization, user__in=keys)
    by_user = {row.user_id: row for row in rows.select_related("user", "organization")}
    factors = Authenticator.objects.filter(user__in=keys, type__in=SECOND_FACTORS)
    protected = set(factors.values_list("user_id", flat=True))
    return [
        OrganizationMember(membership=by_user[key], has_second_factor=key in protected)
        for key in keys
        if key in by_user
    ]
