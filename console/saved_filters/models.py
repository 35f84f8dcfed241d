"""Filters of a list that a person keeps under a name."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models.functions import Lower
from django.urls import reverse

from console.accounts.models import Organization
from console.names import NameField

#: The most filters that a person keeps for one list.
MOST_FILTERS = 20


class SavedFilter(models.Model):
    """A query string of a list, kept by one person in one organization.

    ``path`` is the path of the list within the organization, such as ``/microservices/``.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+")
    path = models.CharField(max_length=200)
    name = NameField("Name", max_length=40)
    query = models.CharField(max_length=1000)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["created_at", "id"]
        constraints = [
            models.UniqueConstraint(
                "user", "organization", "path", Lower("name"), name="saved_filter_of_a_person"
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def list_url(self) -> str:
        """Return the URL of the list, without the filter."""
        return reverse("home")[:-1] + self.path

    @property
    def url(self) -> str:
        return f"{self.list_url}?{self.query}"
