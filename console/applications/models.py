"""What developers build."""

from __future__ import annotations

import uuid
from typing import Any

from django.core.validators import RegexValidator
from django.db import models
from django.urls import reverse

from console.accounts.models import Organization
from console.accounts.policy import Action

LINK_NAME = RegexValidator(
    r"\A[a-z][a-z0-9_]*\Z", "Use lower-case letters, digits and underscores; start with a letter."
)


class ApplicationQuerySet(models.QuerySet["Application"]):
    def allowing(self, user: Any, action: Action) -> ApplicationQuerySet:
        """Keep the applications of the organisations in which the person may do this."""
        return self.filter(organization__in=Organization.objects.allowing(user, action))


class Application(models.Model):
    """Something an organisation builds; connections belong to one application each."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(Organization, models.PROTECT, related_name="applications")
    name = models.CharField(max_length=100)
    link_name = models.CharField(max_length=60, validators=[LINK_NAME])
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
