"""Users, organizations, and memberships with their roles."""

from __future__ import annotations

import unicodedata
import uuid
from collections.abc import Sequence
from typing import Any, ClassVar

from django.apps import apps
from django.contrib.auth.models import AbstractUser, BaseUserManager
from django.db import models, transaction
from django.db.models.functions import Lower

from console.accounts.policy import Action, roles_for, roles_needing_right
from console.choices import Role
from console.names import NameField


class UserManager(BaseUserManager["User"]):
    """Create users, who sign in with their e-mail address."""

    @classmethod
    def normalize_email(cls, email: str | None) -> str:
        """Return the canonical form of an address: NFKC, in lower case.

        Addresses in this form are compared as plain text. Case-insensitive comparison by a
        database could treat a dotless i as an i.
        """
        return unicodedata.normalize("NFKC", email or "").strip().lower()

    @transaction.atomic
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        """Create a user; without a password, they can sign in only after setting one.

        The address counts as confirmed, so the caller must have verified it. Other accounts lose
        it if they added it without confirming it.
        """
        user = self.model(email=self.normalize_email(email), **fields)
        user.set_password(password)
        user.save(using=self._db)
        # allauth's model has a foreign key to this one, so importing it here would be circular.
        addresses = apps.get_model("account", "EmailAddress").objects.using(self._db)
        addresses.filter(email=user.email, verified=False).delete()
        addresses.create(user=user, email=user.email, verified=True, primary=True)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        """Create an operator of the deployment."""
        return self.create_user(email, password, is_superuser=True, **fields)


class User(AbstractUser):
    """A person; ``is_superuser`` marks the operator of the whole deployment."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    username = None  # type: ignore[assignment]  # Django's way to remove a field
    first_name = NameField("first name", max_length=150, blank=True)
    last_name = NameField("last name", max_length=150, blank=True)
    email = models.EmailField("e-mail address", unique=True)

    #: The organization that the URL of this request names; ``allowing`` is limited to it.
    acting_in: Organization | None = None
    #: The active memberships that this request has read; None outside of requests.
    memberships_read: Sequence[Membership] | None = None

    objects: ClassVar[UserManager] = UserManager()  # type: ignore[assignment]  # no username

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta(AbstractUser.Meta):
        constraints = [models.UniqueConstraint(Lower("email"), name="user_email_ignoring_case")]

    def __str__(self) -> str:
        return self.email

    def may(self, action: Action, organization: Organization | None = None) -> bool:
        """Tell whether the person may do this in an organization, by default in any of theirs."""
        allowed = self.organizations_allowing(action)
        return organization.pk in allowed if organization else bool(allowed)

    def organizations_allowing(self, action: Action) -> list[uuid.UUID]:
        """Return the keys of what ``Organization.objects.allowing`` finds.

        Within a request, the memberships that it has read answer without a query. A change
        checks again in its own transaction (:mod:`console.accounts.authority`).
        """
        if self.memberships_read is None:
            allowed = Organization.objects.allowing(self, action)
            return list(allowed.values_list("pk", flat=True))
        return [
            membership.organization_id
            for membership in self.memberships_read
            if membership.role in roles_for(action)
            and self.acting_in in (None, membership.organization)
        ]


class OrganizationQuerySet(models.QuerySet["Organization"]):
    def of(self, user: Any) -> OrganizationQuerySet:
        """Filter to the organizations of a person."""
        return self._in_which(user)

    def allowing(self, user: Any, action: Action) -> OrganizationQuerySet:
        """Filter to those in which the person may do this with everything that they own."""
        return self._in_which(user, memberships__role__in=roles_for(action))

    def giving(self, user: Any, action: Action) -> OrganizationQuerySet:
        """Filter to those in which the person may do this for applications with the right."""
        return self._in_which(user, memberships__role__in=roles_needing_right(action))

    def _in_which(self, user: Any, **conditions: Any) -> OrganizationQuerySet:
        """Filter by the person's membership and, if the URL names one, to that organization."""
        known = user.is_authenticated and user.is_active
        found = self.filter(
            memberships__user=user if known else None,
            memberships__deactivated_at=None,
            **conditions,
        )
        return found.filter(pk=user.acting_in.pk) if known and user.acting_in else found


class Organization(models.Model):
    """A company that builds applications, or one that installs them."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = NameField(max_length=100)
    slug = models.SlugField(unique=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = OrganizationQuerySet.as_manager()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class MembershipQuerySet(models.QuerySet["Membership"]):
    def active(self) -> MembershipQuerySet:
        """Filter out deactivated memberships, which give no access."""
        return self.filter(deactivated_at=None)


class Membership(models.Model):
    """A person's role in an organization."""

    user = models.ForeignKey(User, models.CASCADE, related_name="memberships")
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=20, choices=Role.choices)
    #: Since when the membership gives no access; None while it is active.
    deactivated_at = models.DateTimeField("deactivated", null=True, editable=False)

    objects = MembershipQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "people"
        constraints = [
            models.UniqueConstraint(
                fields=["user", "organization"], name="one_role_in_an_organization"
            )
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.get_role_display()} of {self.organization}"
