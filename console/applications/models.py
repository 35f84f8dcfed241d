"""Applications, and the rights of developers to publish and distribute them."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.urls import reverse

from console.accounts.models import Organization
from console.accounts.policy import NEEDS_RIGHT, Action
from console.applications.launch_url import validate_launch_url
from console.names import NameField

LINK_NAME = RegexValidator(
    r"\A[a-z][a-z0-9_]*\Z", "Use lower-case letters, digits and underscores; start with a letter."
)


class ApplicationQuerySet(models.QuerySet["Application"]):
    def allowing(self, user: Any, action: Action) -> ApplicationQuerySet:
        """Return the applications with which the person may do this, by role or by right."""
        allowed = Q(organization__in=Organization.objects.allowing(user, action))
        if action in NEEDS_RIGHT:
            allowed |= Q(
                pk__in=Right.objects.giving(user, action).values("application"),
                organization__in=Organization.objects.giving(user, action),
            )
        return self.filter(allowed)


class Application(models.Model):
    """An application that an organization builds. Each connection belongs to one application."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(Organization, models.PROTECT, related_name="applications")
    name = NameField(max_length=100)
    link_name = models.CharField(max_length=60, validators=[LINK_NAME])
    launch_url = models.CharField(
        "launch URL",
        max_length=500,
        blank=True,
        validators=[validate_launch_url],
        help_text="Where the application runs. The console sends people who open it to this URL, "
        "with a token that identifies them in the form field console_user.",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ApplicationQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "link_name"], name="application_link_name_in_organization"
            )
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("application_detail", args=[self.link_name])

    def allows(self, user: Any, action: Action) -> bool:
        """Return whether the person may do this with the application."""
        if self.organization_id in user.organizations_allowing(action):
            return True
        given = Application.objects.allowing(user, action).filter(pk=self.pk)
        return action in NEEDS_RIGHT and given.exists()


class RightQuerySet(models.QuerySet["Right"]):
    def giving(self, user: Any, action: Action) -> RightQuerySet:
        """Return the person's rights to do this. They are valid only together with their role."""
        owner = user if user.is_authenticated else None
        return self.filter(user=owner, **{Right.FIELDS[action]: True})


class Right(models.Model):
    """The right of one developer to publish or distribute one application.

    It is valid only while the person is a developer of the application's organization. Super
    admins do not need it.
    """

    #: The field for each action in ``NEEDS_RIGHT``.
    FIELDS: ClassVar[dict[Action, str]] = {
        Action.PUBLISH: "may_publish",
        Action.DISTRIBUTE: "may_distribute",
    }

    application = models.ForeignKey(Application, models.CASCADE, related_name="rights")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="rights", verbose_name="developer"
    )
    may_publish = models.BooleanField(default=False)
    may_distribute = models.BooleanField(default=False)

    objects = RightQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["application", "user"], name="rights_of_a_person_in_an_application"
            )
        ]

    def __str__(self) -> str:
        return f"{self.user} in {self.application}"
