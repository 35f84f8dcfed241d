"""What was shipped, and what Stage holds now."""

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
from console.publishing.manifest import Manifest, digest_of

#: How long a publisher that was killed keeps others waiting.
LEASE = timedelta(seconds=30)


class InsertOnly(models.QuerySet["Release"]):
    """Rows that are made and never changed."""

    def allowing(self, user: Any, action: Any) -> InsertOnly:
        """Keep the releases of the applications in which the person may do this."""
        return self.filter(application__in=Application.objects.allowing(user, action))

    def update(self, **values: Any) -> NoReturn:
        raise TypeError("A release never changes.")

    bulk_update = update  # type: ignore[assignment]

    def delete(self) -> NoReturn:
        raise TypeError("A release is never deleted.")


class Release(models.Model):
    """An immutable, numbered bundle of components and the connections that they reference.

    ``content`` is the text of a :class:`~console.publishing.manifest.Manifest`, and
    ``digest`` is its SHA-256. The database refuses to change a row, too.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    application = models.ForeignKey(Application, models.PROTECT, related_name="releases")
    number = models.PositiveIntegerField()
    content = models.TextField()
    digest = models.CharField(max_length=64)
    note = models.CharField(max_length=500, blank=True)
    #: The release whose content was taken up again by *Roll back*.
    rolled_back_to = models.PositiveIntegerField(null=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    objects = InsertOnly.as_manager()

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
        """Return what it holds."""
        return Manifest.from_text(self.content)


class InstallationQuerySet(models.QuerySet["Installation"]):
    def allowing(self, user: Any, action: Action) -> InstallationQuerySet:
        """Keep those of organizations in which the person may do this."""
        return self.filter(organization__in=Organization.objects.allowing(user, action))


class Installation(models.Model):
    """An application in a client organization, at one release.

    Its connections there are ``connections.models.InstalledConnection``, written with it.
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
    #: When the license ends; empty while it has no end.
    ends_at = models.DateTimeField(null=True)
    #: The newer release that the client has left, so that it is not pressed on him again.
    left = models.ForeignKey(Release, models.PROTECT, null=True, related_name="+")

    objects = InstallationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["application", "organization"], name="installed_once_a_client"
            )
        ]

    def __str__(self) -> str:
        return str(self.application)

    @property
    def has_ended(self) -> bool:
        return self.ends_at is not None and self.ends_at <= timezone.now()


class Stage(models.Model):
    """What Stage holds: a pointer to one release; and who is moving it just now."""

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
