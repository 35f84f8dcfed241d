"""The call log: one row for each call through a connection, and counts by the hour."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone

from connections.models import Connection
from connections.models.authorization_site import AuthorizationSite
from console.accounts.models import Organization
from console.accounts.policy import Action
from console.applications.models import Application
from console.choices import Environment
from console.invocations.outcomes import CallOutcome, outcome_of

#: Environments of the organization that builds an application. Production is its clients'.
HOME = (Environment.DEVELOPMENT, Environment.STAGE)
#: Outcome to color and icon.
_LOOKS = {
    CallOutcome.WORKED: ("green", "circle-check"),
    CallOutcome.REFUSED: ("amber", "alert-triangle"),
    CallOutcome.FAILED: ("red", "alert-circle"),
}


class CallsQuerySet(models.QuerySet[Any]):
    def visible_to(self, user: Any) -> CallsQuerySet:
        """Keep the calls that the person may see.

        Developers see the calls of their organization in Development and Stage. Calls in
        Production belong to the client; people who authorize shared connections there see them.
        """
        built_in = Organization.objects.allowing(user, Action.MANAGE_CONNECTIONS)
        clients = Organization.objects.allowing(user, Action.AUTHORIZE_INSTALLED)
        return self.filter(
            models.Q(organization__in=built_in, environment__in=HOME)
            | models.Q(organization__in=clients, environment=Environment.PRODUCTION)
        )

    def at(self, site: AuthorizationSite) -> CallsQuerySet:
        """Keep the calls of this site."""
        return self.filter(
            connection=site.connection,
            organization=site.organization,
            environment__in=HOME if site.is_home else site.environments,
        )


class Invocation(models.Model):
    """One call: who made it, its target and its outcome. Never a secret, query string or body.

    Rows are written in batches after the calls. The rows they refer to may be deleted by then,
    so the foreign keys have no constraints. Calls are deleted with their connection or by age.
    """

    organization = models.ForeignKey(
        Organization, models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False
    )
    application = models.ForeignKey(
        Application, models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False
    )
    #: Null if there is no connection with the link name.
    connection = models.ForeignKey(
        Connection, models.CASCADE, null=True, related_name="+", db_constraint=False, db_index=False
    )
    environment = models.CharField(max_length=20, choices=Environment.choices)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.DO_NOTHING,
        null=True,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )
    #: The prefix of the API key; empty for a run in the console.
    key_prefix = models.CharField(max_length=30, blank=True)
    method = models.CharField(max_length=20)
    #: The host of the service; empty if no service was called.
    host = models.CharField(max_length=255, blank=True)
    #: The path of the URL that was called, without its query.
    path = models.CharField(max_length=500)
    #: The status that the program received, from the service or from the console.
    status = models.PositiveSmallIntegerField()
    #: The type of the problem, if the console answered or the response was cut off.
    problem = models.CharField(max_length=60, blank=True)
    milliseconds = models.PositiveIntegerField()
    bytes_in = models.PositiveBigIntegerField(default=0)
    bytes_out = models.PositiveBigIntegerField(default=0)
    #: Whether the service rejected the access token and the console refreshed it.
    refreshed = models.BooleanField(default=False)
    at = models.DateTimeField(default=timezone.now)

    objects = CallsQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(
                fields=["connection", "organization", "-at"], name="invocation_newest_first"
            ),
            models.Index(fields=["at"], name="invocation_oldest"),
        ]

    def __str__(self) -> str:
        return f"{self.method} {self.host}{self.path}: {self.status}"

    @property
    def outcome(self) -> CallOutcome:
        return outcome_of(self.status, self.problem)

    @property
    def tone(self) -> str:
        return _LOOKS[self.outcome][0]

    @property
    def icon(self) -> str:
        return _LOOKS[self.outcome][1]

    @property
    def problem_label(self) -> str:
        """Return the type of the problem as words."""
        return self.problem.replace("-", " ")


class HourlyCount(models.Model):
    """How many calls of one kind a connection made in one hour (``hourly_counts.py``)."""

    connection = models.ForeignKey(
        Connection, models.CASCADE, related_name="+", db_constraint=False, db_index=False
    )
    organization = models.ForeignKey(
        Organization, models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False
    )
    #: When the hour began.
    hour = models.DateTimeField()
    environment = models.CharField(max_length=20, choices=Environment.choices)
    method = models.CharField(max_length=20)
    outcome = models.CharField(max_length=10, choices=CallOutcome.choices)
    #: The upper end of the duration band in milliseconds (``hourly_counts.py``).
    band = models.PositiveIntegerField()
    calls = models.PositiveBigIntegerField()
    #: The duration of the slowest of these calls, in milliseconds.
    slowest = models.PositiveIntegerField()

    objects = CallsQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=[
                    "connection",
                    "organization",
                    "hour",
                    "environment",
                    "method",
                    "outcome",
                    "band",
                ],
                name="one_tally_of_a_kind",
            )
        ]
        indexes = [
            models.Index(fields=["hour"], name="tally_oldest"),
            models.Index(fields=["organization", "hour"], name="tally_of_organization"),
        ]

    def __str__(self) -> str:
        return f"{self.hour}: {self.calls} calls"
