"""A connection: the use of one connector by an application."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models.functions import Lower
from django.urls import reverse

from connections.models.disablement import Disablement
from connections.models.oauth_client import OAuthClient
from connections.models.snapshot import ConnectionSnapshot
from connections.models.tag import Tag
from connectors.definitions.registry import connector_or_placeholder
from connectors.definitions.schema import AuthType, Connector
from console.accounts.policy import Action
from console.applications.models import LINK_NAME, Application
from console.choices import Environment, Level
from console.names import NameField


class ConnectionQuerySet(models.QuerySet["Connection"]):
    def visible_to(self, user: Any) -> ConnectionQuerySet:
        """Keep the connections that a person may manage; they see no others."""
        allowing = Application.objects.allowing(user, Action.MANAGE_CONNECTIONS)
        # With IN, SQLite would collect and sort every connection of these applications.
        return self.filter(models.Exists(allowing.filter(pk=models.OuterRef("application"))))

    def created(self) -> ConnectionQuerySet:
        """Leave out the drafts."""
        return self.filter(status=Connection.Status.CREATED)

    def drafts(self) -> ConnectionQuerySet:
        """Keep the connections that are still in the wizard."""
        return self.filter(status=Connection.Status.DRAFT)

    def disablements(self) -> dict[uuid.UUID, Disablement]:
        """Return who disabled which of these connections, and why."""
        rows = self.filter(disabled_at__isnull=False).values_list(
            "pk", "disabled_at", "disabled_by__email", "disabled_reason"
        )
        return {
            pk: Disablement(at=at, by=email or "", reason=reason) for pk, at, email, reason in rows
        }


class Connection(models.Model):
    """The use of a connector by an application. The row of a draft is the state of the wizard."""

    class Status(models.TextChoices):
        DRAFT = "draft", "Draft"
        CREATED = "created", "Created"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    application = models.ForeignKey(
        Application, models.CASCADE, related_name="connections", db_index=False
    )
    connector_slug = models.CharField("connector", max_length=60, db_column="connector")
    auth_type: models.CharField[AuthType, AuthType] = models.CharField(max_length=20)
    name = NameField("Connection Name", max_length=50)
    #: Empty for a draft. *Create and Authorize* sets it, and it never changes.
    link_name = models.CharField(max_length=60, blank=True, validators=[LINK_NAME])
    level = models.CharField(max_length=20, choices=Level.choices, default=Level.ADMINISTRATOR)
    all_actions = models.BooleanField(default=False)
    scopes = models.JSONField(default=list, blank=True)
    separate_environments = models.BooleanField(default=False)
    #: The OAuth client that was chosen for it; empty for the default client.
    oauth_client = models.ForeignKey(
        OAuthClient, models.PROTECT, null=True, blank=True, related_name="chosen_for"
    )
    parameters = models.JSONField(default=dict, blank=True)
    #: The steps of the wizard that a person has completed; the other fields hold proposals.
    answered = models.JSONField(default=list, blank=True, editable=False)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.DRAFT)
    #: The number of the first release that contains it; then it can no longer be deleted.
    first_released = models.PositiveIntegerField(null=True, editable=False)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    #: The developer who answers for it; at first the one who created it.
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    description = models.CharField(max_length=500, blank=True)
    tags = models.ManyToManyField(Tag, blank=True, related_name="connections")
    #: Since when no calls are made through it, in any environment; empty while it is enabled.
    disabled_at = models.DateTimeField(null=True, editable=False)
    disabled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, editable=False, related_name="+"
    )
    disabled_reason = models.CharField(max_length=300, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = ConnectionQuerySet.as_manager()

    class Meta:
        # Drafts reserve no name, only created connections do.
        constraints = [
            models.UniqueConstraint(
                "application",
                Lower("name"),
                condition=models.Q(status="created"),
                name="connection_name_in_application",
            ),
            models.UniqueConstraint(
                fields=["application", "link_name"],
                condition=models.Q(status="created"),
                name="connection_link_name_in_application",
            ),
            models.UniqueConstraint(
                fields=["application", "connector_slug", "created_by"],
                condition=models.Q(status="draft"),
                name="one_draft_a_person_and_connector",
            ),
        ]
        indexes = [
            models.Index(fields=["-created_at", "-id"], name="connection_newest_first"),
            models.Index(Lower("name"), "id", name="connection_by_name"),
            models.Index(fields=["application", "connector_slug"], name="connection_by_connector"),
            models.Index(
                fields=["disabled_at"],
                condition=models.Q(disabled_at__isnull=False),
                name="connection_disabled",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self._state.adding and self.owner_id is None:
            self.owner_id = self.created_by_id
        super().save(*args, **kwargs)

    def get_absolute_url(self) -> str:
        return reverse("connection_detail", args=[self.pk])

    @property
    def connector(self) -> Connector:
        """Return the definition of the service; an empty one if it is not in the catalogue."""
        return connector_or_placeholder(self.connector_slug)

    @property
    def is_draft(self) -> bool:
        return self.status == self.Status.DRAFT

    @property
    def is_disabled(self) -> bool:
        return self.disabled_at is not None

    @property
    def disablement(self) -> Disablement | None:
        """Return who disabled it, when and why; ``None`` while it is enabled."""
        if self.disabled_at is None:
            return None
        by = self.disabled_by.email if self.disabled_by else ""
        return Disablement(at=self.disabled_at, by=by, reason=self.disabled_reason)

    @property
    def environments(self) -> tuple[Environment, ...]:
        """Return the environments that each need an authorization by the developers."""
        if self.separate_environments:
            return Environment.DEVELOPMENT, Environment.STAGE
        return (Environment.ALL,)

    @property
    def snapshot(self) -> ConnectionSnapshot:
        """Return the current settings, which are those of Development."""
        return ConnectionSnapshot(
            **{name: getattr(self, name) for name in ConnectionSnapshot.FIELDS},
            connector=self.connector_slug,
            scopes=tuple(self.scopes),
            parameters=dict(self.parameters),
        )

    def snapshot_in(self, environment: str) -> ConnectionSnapshot:
        """Return the settings for an environment. Stage uses those of its release.

        A connection that is in no release has the settings of Development everywhere.
        """
        released = (r.snapshot for r in self.released.all() if r.environment == environment)
        return next(released, self.snapshot)

    @property
    def scopes_asked(self) -> tuple[str, ...]:
        """Return every scope that Development needs, including the connector's fixed scopes."""
        return self.snapshot.scopes_asked

    def scopes_to_ask(self, environments: Iterable[str]) -> tuple[str, ...]:
        """Return the scopes to request when these environments are authorized.

        Stage needs the scopes of its release now, and those of Development with the next
        release. An account that both share needs both.
        """
        needed = list(self.scopes_asked)
        if {Environment.ALL, Environment.STAGE} & set(environments):
            needed += self.snapshot_in(Environment.STAGE).scopes_asked
        return tuple(dict.fromkeys(needed))
