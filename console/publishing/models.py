"""Releases, the release in Stage, and installations at clients."""

from __future__ import annotations

import uuid
from datetime import timedelta
from functools import cached_property
from typing import Any, NoReturn

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils import timezone

from console.accounts.models import Organization
from console.accounts.policy import Action
from console.applications.models import Application
from console.insert_only import InsertOnlyQuerySet
from console.publishing.manifest import Manifest, digest_of

#: How long others have to wait if a process is killed while it publishes.
LEASE = timedelta(seconds=30)


class ReleaseQuerySet(InsertOnlyQuerySet["Release"]):
    def allowing(self, user: Any, action: Any) -> ReleaseQuerySet:
        """Keep the releases of applications in which the person may do this."""
        return self.filter(application__in=Application.objects.allowing(user, action))


class Release(models.Model):
    """An immutable, numbered bundle of components and the connections that they reference.

    ``content`` is the text of a :class:`~console.publishing.manifest.Manifest`, and
    ``digest`` is its SHA-256. A database trigger refuses changes as well.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    application = models.ForeignKey(Application, models.PROTECT, related_name="releases")
    number = models.PositiveIntegerField()
    content = models.TextField()
    digest = models.CharField(max_length=64)
    note = models.CharField(max_length=500, blank=True)
    #: The number of the earlier release whose content *Roll back* copied.
    rolled_back_to = models.PositiveIntegerField(null=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    objects = ReleaseQuerySet.as_manager()

    class Meta:
        ordering = ["-number"]
        base_manager_name = "objects"
        constraints = [
            models.UniqueConstraint(
                fields=["application", "number"], name="release_number_in_application"
            )
        ]

    def __str__(self) -> str:
        return f"Release {self.number}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.digest = digest_of(self.content)
        super().save(*args, **{**kwargs, "force_insert": True})

    def get_absolute_url(self) -> str:
        return reverse("release_detail", args=[self.pk])

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise TypeError("A release is never deleted.")

    @cached_property
    def manifest(self) -> Manifest:
        """Return the parsed content."""
        return Manifest.from_text(self.content)


class InstallationQuerySet(models.QuerySet["Installation"]):
    def allowing(self, user: Any, action: Action) -> InstallationQuerySet:
        """Keep the installations of organizations in which the person may do this."""
        return self.filter(organization__in=Organization.objects.allowing(user, action))


class Installation(models.Model):
    """An application in a client organization, at one release.

    The connections of the installed release are copied to
    ``connections.models.InstalledConnection`` rows.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    application = models.ForeignKey(Application, models.PROTECT, related_name="installations")
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="installations")
    release = models.ForeignKey(Release, models.PROTECT, related_name="installations")
    installed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    installed_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(null=True)
    #: When the license ends; null if it does not end.
    ends_at = models.DateTimeField(null=True)
    #: The newer release that the client chose not to install, so that it is not urged again.
    skipped_release = models.ForeignKey(Release, models.PROTECT, null=True, related_name="+")

    objects = InstallationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["application", "organization"], name="installed_once_a_client"
            )
        ]

    def __str__(self) -> str:
        return str(self.application)

    def get_absolute_url(self) -> str:
        return reverse("installation_detail", args=[self.pk])

    @property
    def has_ended(self) -> bool:
        return self.ends_at is not None and self.ends_at <= timezone.now()


class Stage(models.Model):
    """The release that is in Stage, and the lease of the person who is publishing now."""

    application = models.OneToOneField(
        Application, models.CASCADE, primary_key=True, related_name="stage"
    )
    release = models.ForeignKey(Release, models.PROTECT, null=True, related_name="stages")
    publisher = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    lease = models.CharField(max_length=40, blank=True)
    leased_at = models.DateTimeField(null=True)
    lease_until = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.application}: {self.release or 'nothing yet'}"
