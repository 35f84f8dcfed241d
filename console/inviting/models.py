"""Invitations, into an organization or as its client."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from console.accounts.models import Organization
from console.choices import Role


class InvitationQuerySet(models.QuerySet["Invitation"]):
    def open(self) -> InvitationQuerySet:
        """Filter to those neither accepted nor withdrawn; they may have expired."""
        return self.filter(accepted_at=None, withdrawn_at=None)

    def into_organization(self) -> InvitationQuerySet:
        """Filter to those that invite a member."""
        return self.exclude(role="")

    def as_client(self) -> InvitationQuerySet:
        """Filter to those that invite a client."""
        return self.filter(role="")


class Invitation(models.Model):
    """An invitation of an e-mail address; only the mail contains the token.

    With a ``role``, the person who accepts becomes a member of the organization. Without one, their
    own organization, ``client``, becomes a client of this one.
    """

    class Status(models.TextChoices):
        OPEN = "open", "Waiting"
        EXPIRED = "expired", "Expired"
        ACCEPTED = "accepted", "Accepted"
        WITHDRAWN = "withdrawn", "Withdrawn"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="invitations")
    #: In lower case.
    email = models.EmailField("e-mail address")
    role = models.CharField(max_length=20, choices=Role.choices, blank=True)
    token_hash = models.CharField(max_length=64, unique=True, editable=False)
    invited_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", editable=False
    )
    sent_at = models.DateTimeField("sent", default=timezone.now, editable=False)
    expires_at = models.DateTimeField("expires", editable=False)
    accepted_at = models.DateTimeField("accepted", null=True, editable=False)
    accepted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", editable=False
    )
    client = models.ForeignKey(
        Organization, models.CASCADE, null=True, related_name="accepted_invitations", editable=False
    )
    withdrawn_at = models.DateTimeField("withdrawn", null=True, editable=False)

    objects = InvitationQuerySet.as_manager()

    class Meta:
        ordering = ["-sent_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "email"],
                condition=Q(accepted_at=None, withdrawn_at=None) & ~Q(role=""),
                name="one_open_invitation_of_a_person",
            ),
            models.UniqueConstraint(
                fields=["organization", "email"],
                condition=Q(accepted_at=None, withdrawn_at=None, role=""),
                name="one_open_invitation_of_a_client",
            ),
        ]

    def __str__(self) -> str:
        return self.email

    @property
    def is_for_client(self) -> bool:
        return not self.role

    @property
    def status(self) -> Invitation.Status:
        if self.accepted_at:
            return self.Status.ACCEPTED
        if self.withdrawn_at:
            return self.Status.WITHDRAWN
        return self.Status.EXPIRED if self.expires_at <= timezone.now() else self.Status.OPEN
