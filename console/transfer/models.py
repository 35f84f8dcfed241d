"""A file on its way in."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models

from console.accounts.models import Organization


class Upload(models.Model):
    """A file that a person has sent and not yet imported; each person has one at most."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+")
    file_name = models.CharField(max_length=200)
    text = models.TextField()
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.file_name
