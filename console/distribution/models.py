"""Shares offer a release to one client; marketplace listings offer it to every organization."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from console.accounts.models import Organization
from console.accounts.policy import Action
from console.applications.models import Application
from console.names import NameField
from console.publishing.models import Installation, Release


class License(models.TextChoices):
    """How long a client may use an application that was shared with them."""

    TRIAL_15 = "trial_15", "Trial, 15 days"
    TRIAL_30 = "trial_30", "Trial, 30 days"
    TRIAL_60 = "trial_60", "Trial, 60 days"
    SUBSCRIPTION = "subscription", "Subscription"

    @property
    def lasts(self) -> timedelta | None:
        """Return the length of a trial, counted from the first installation."""
        kind, _, days = self.value.partition("_")
        return timedelta(days=int(days)) if kind == "trial" else None


class ShareQuerySet(models.QuerySet["Share"]):
    def allowing(self, user: Any, action: Action) -> ShareQuerySet:
        """Keep the shares that the person may act on, as a client or as a developer."""
        if action == Action.MANAGE_INSTALLATIONS:
            return self.offered_to(user)
        return self.filter(application__in=Application.objects.allowing(user, action))

    def offered_to(self, user: Any) -> ShareQuerySet:
        """Keep the shares with organizations in which the person may install applications."""
        clients = Organization.objects.allowing(user, Action.MANAGE_INSTALLATIONS)
        return self.filter(client__in=clients, withdrawn_at=None)


class Share(models.Model):
    """The permission of one client to install an application: at a release, for a limited time.

    ``installation`` is set once the client has installed it. A trial starts with the first
    installation (``started_at``) and continues even if the application is uninstalled.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    application = models.ForeignKey(Application, models.PROTECT, related_name="shares")
    client = models.ForeignKey(Organization, models.CASCADE, related_name="shared_with_it")
    release = models.ForeignKey(Release, models.PROTECT, related_name="+")
    license = models.CharField(max_length=20, choices=License.choices)
    started_at = models.DateTimeField(null=True)
    ends_at = models.DateTimeField(null=True)
    withdrawn_at = models.DateTimeField(null=True)
    installation = models.OneToOneField(
        Installation, models.SET_NULL, null=True, related_name="share"
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now)
    #: The values of ``ends_at`` for which the client got a reminder, and a notice of the end.
    ending_notice_sent_for = models.DateTimeField(null=True)
    ended_notice_sent_for = models.DateTimeField(null=True)

    objects = ShareQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["application", "client"], name="shared_once_with_a_client"
            )
        ]

    def __str__(self) -> str:
        return f"{self.application} for {self.client}"

    @property
    def end(self) -> datetime | None:
        """Return when the client loses access: the license ends, or the share was withdrawn."""
        ends = [moment for moment in (self.ends_at, self.withdrawn_at) if moment]
        return min(ends, default=None)

    @property
    def has_ended(self) -> bool:
        return self.end is not None and self.end <= timezone.now()

    def begin(self) -> None:
        """Start the license; a trial that has started before continues."""
        self.started_at = self.started_at or timezone.now()
        if lasts := License(self.license).lasts:
            self.ends_at = self.started_at + lasts


class ListingQuerySet(models.QuerySet["Listing"]):
    def open(self) -> ListingQuerySet:
        """Keep listings that are being written or reviewed; at most one per application."""
        return self.filter(state__in=Listing.OPEN)

    def published(self) -> ListingQuerySet:
        return self.filter(state=Listing.State.PUBLISHED)


class Listing(models.Model):
    """The description of an application in the marketplace.

    A published listing is never edited. A change is a separate row, which replaces the published
    one after its review.
    """

    class State(models.TextChoices):
        DRAFT = "draft", "Draft"
        SUBMITTED = "submitted", "Waiting for review"
        REFUSED = "refused", "Refused"
        PUBLISHED = "published", "Published"
        WITHDRAWN = "withdrawn", "Withdrawn"

    OPEN = (State.DRAFT, State.SUBMITTED, State.REFUSED)
    MAX_PICTURES = 5

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    application = models.ForeignKey(Application, models.PROTECT, related_name="listings")
    release = models.ForeignKey(Release, models.PROTECT, related_name="+")
    title = NameField("Title", max_length=60)
    summary = models.CharField("Summary", max_length=160)
    description = models.TextField("Description", max_length=5000)
    help_url = models.URLField("Help page", max_length=300)
    state = models.CharField(max_length=20, choices=State.choices, default=State.DRAFT)
    #: The reason that the reviewer gave to the person who submitted it.
    review_note = models.CharField(max_length=500, blank=True)
    submitted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    submitted_at = models.DateTimeField(null=True)
    reviewed_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=timezone.now)

    objects = ListingQuerySet.as_manager()

    class Meta:
        ordering = ["title"]
        constraints = [
            models.UniqueConstraint(
                fields=["application"],
                condition=Q(state="published"),
                name="one_published_listing",
            ),
            models.UniqueConstraint(
                fields=["application"],
                condition=Q(state__in=["draft", "submitted", "refused"]),
                name="one_open_listing",
            ),
        ]

    def __str__(self) -> str:
        return self.title


class Picture(models.Model):
    """A picture of a listing, stored without metadata."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    listing = models.ForeignKey(Listing, models.CASCADE, related_name="pictures")
    #: Alternative text, for people who cannot see the picture.
    words = NameField("Description of the picture", max_length=120)
    media_type = models.CharField(max_length=20)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    content = models.BinaryField()
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["created_at", "id"]

    def __str__(self) -> str:
        return self.words
