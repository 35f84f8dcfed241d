"""People, the organizations that they belong to, and in which role."""

from __future__ import annotations

import unicodedata
import uuid
from typing import Any, ClassVar

from django.apps import apps
from django.contrib.auth.models import AbstractUser, BaseUserManager
from django.db import models, transaction
from django.db.models.functions import Lower

from console.accounts.policy import Action, given_to, held_by
from console.choices import Role
from console.names import NameField


class UserManager(BaseUserManager["User"]):
    """Make people, who are known by their e-mail address."""

    @classmethod
    def normalize_email(cls, email: str | None) -> str:
        """Return the one spelling of an address: NFKC, in lower case.

        Every comparison is one of equal text. A database that ignores case by its own rules
        would take a dotless i for an i.
        """
        return unicodedata.normalize("NFKC", email or "").strip().lower()

    @transaction.atomic
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        """Make a person; without a password he cannot sign in until he sets one.

        The address is confirmed: the caller vouches for it, or has proof by mail. Claims of
        other accounts to it end.
        """
        user = self.model(email=self.normalize_email(email), **fields)
        user.set_password(password)
        user.save(using=self._db)
        # allauth's model refers to this one, so it cannot be imported here.
        addresses = apps.get_model("account", "EmailAddress").objects.using(self._db)
        addresses.filter(email=user.email, verified=False).delete()
        addresses.create(user=user, email=user.email, verified=True, primary=True)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        """Make an operator, who runs the deployment."""
        return self.create_user(email, password, is_superuser=True, **fields)


class User(AbstractUser):
    """A person; ``is_superuser`` marks the operator of the whole deployment."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    username = None  # type: ignore[assignment]
    first_name = NameField("first name", max_length=150, blank=True)
    last_name = NameField("last name", max_length=150, blank=True)
    email = models.EmailField("e-mail address", unique=True)

    #: The organization that the address of this request names; it narrows ``allowing``.
    acting_in: Organization | None = None

    objects: ClassVar[UserManager] = UserManager()  # type: ignore[assignment]

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta(AbstractUser.Meta):
        constraints = [models.UniqueConstraint(Lower("email"), name="user_email_ignoring_case")]

    def __str__(self) -> str:
        return self.email

    def may(self, action: Action) -> bool:
        """Tell whether any of his organizations allows him this."""
        return Organization.objects.allowing(self, action).exists()


class OrganizationQuerySet(models.QuerySet["Organization"]):
    def of(self, user: Any) -> OrganizationQuerySet:
        """Keep the organizations that the person belongs to."""
        return self._in_which(user)

    def allowing(self, user: Any, action: Action) -> OrganizationQuerySet:
        """Keep those in which the person may do this with all that they own (policy table)."""
        return self._in_which(user, memberships__role__in=held_by(action))

    def giving(self, user: Any, action: Action) -> OrganizationQuerySet:
        """Keep those in which the person may do this where it was given to him, if at all."""
        return self._in_which(user, memberships__role__in=given_to(action))

    def _in_which(self, user: Any, **conditions: Any) -> OrganizationQuerySet:
        """Keep those with such a membership; where the address names one, that one alone."""
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
        """Keep those that count: a deactivated one gives nothing."""
        return self.filter(deactivated_at=None)


class Membership(models.Model):
    """One person in one organization, in one role."""

    user = models.ForeignKey(User, models.CASCADE, related_name="memberships")
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=20, choices=Role.choices)
    #: Since when it gives nothing, if it does not.
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
