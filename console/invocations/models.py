"""One row for each call through a connection, and how many of a kind there were in an hour."""

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

#: Where the organization that builds an application calls; Production is its clients'.
HOME = (Environment.DEVELOPMENT, Environment.STAGE)
#: Outcome to color and icon.
_LOOKS = {
    CallOutcome.WORKED: ("green", "circle-check"),
    CallOutcome.REFUSED: ("amber", "alert-triangle"),
    CallOutcome.FAILED: ("red", "alert-circle"),
}


class CallsQuerySet(models.QuerySet[Any]):
    def visible_to(self, user: Any) -> CallsQuerySet:
        """Keep what was called in Development and Stage of the organizations that he builds in.

        A call in Production is its client's own, also where somebody else built what made it:
        those who authorize for everybody there see it.
        """
        built_in = Organization.objects.allowing(user, Action.MANAGE_CONNECTIONS)
        clients = Organization.objects.allowing(user, Action.AUTHORIZE_INSTALLED)
        return self.filter(
            models.Q(organization__in=built_in, environment__in=HOME)
            | models.Q(organization__in=clients, environment=Environment.PRODUCTION)
        )

    def at(self, site: AuthorizationSite) -> CallsQuerySet:
        """Keep what was called there."""
        return self.filter(
            connection=site.connection,
            organization=site.organization,
            environment__in=HOME if site.is_home else site.environments,
        )


class Invocation(models.Model):
    """What was called, by whom, and what came of it; never a secret, a value of a query or a body.

    Rows are written in batches after the calls, and what they name may be gone by then: the
    database does not insist on it. They go with their connection, or when they are pruned.
    """

    organization = models.ForeignKey(
        Organization, models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False
    )
    application = models.ForeignKey(
        Application, models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False
    )
    #: Nothing where the link name leads to no connection.
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
    #: The beginning of the key that it came with; nothing for a run in the console.
    key_prefix = models.CharField(max_length=30, blank=True)
    method = models.CharField(max_length=20)
    #: Of the service; nothing where none was asked.
    host = models.CharField(max_length=255, blank=True)
    path = models.CharField(max_length=500)
    #: What the program was answered, by the service or by the console.
    status = models.PositiveSmallIntegerField()
    #: The kind of problem where the console answered, or the answer broke off.
    problem = models.CharField(max_length=60, blank=True)
    milliseconds = models.PositiveIntegerField()
    bytes_in = models.PositiveBigIntegerField(default=0)
    bytes_out = models.PositiveBigIntegerField(default=0)
    #: Whether an access token was renewed for it because the service refused the old one.
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
    def trouble(self) -> str:
        """Return the kind of problem as words."""
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
    #: They took at most so many milliseconds, and longer than the band before.
    band = models.PositiveIntegerField()
    calls = models.PositiveBigIntegerField()

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
        indexes = [models.Index(fields=["hour"], name="tally_oldest")]

    def __str__(self) -> str:
        return f"{self.hour}: {self.calls} calls"
