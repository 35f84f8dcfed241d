"""Uploaded files that wait to be imported."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils import timezone

from console.accounts.models import Organization
from console.accounts.policy import Action

#: How long an uploaded file is kept.
UPLOAD_LIFETIME = timedelta(days=1)


class UploadQuerySet(models.QuerySet["Upload"]):
    def pending_for(self, user: Any) -> UploadQuerySet:
        """Keep the upload of a person that has not expired and that they may still import."""
        return self.filter(
            user=user,
            organization__in=Organization.objects.allowing(user, Action.CREATE_APPLICATIONS),
            created_at__gt=timezone.now() - UPLOAD_LIFETIME,
        )


class Upload(models.Model):
    """A file that a person has uploaded but not yet imported; at most one per person."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+")
    file_name = models.CharField(max_length=200)
    text = models.TextField()
    created_at = models.DateTimeField(auto_now_add=True)

    objects = UploadQuerySet.as_manager()

    def __str__(self) -> str:
        return self.file_name

    def get_absolute_url(self) -> str:
        return reverse("upload_detail", args=[self.pk])


class ImportLease(models.Model):
    """The lease of the import that is running in an organization (``import_lease.py``)."""

    organization = models.OneToOneField(
        Organization, models.CASCADE, primary_key=True, related_name="+"
    )
    owner = models.CharField(max_length=32)
    until = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.organization}"
