"""What Home shows to a person: their tasks, the calls, and what has changed.

Each part belongs to what a person may do, so that a role in Home follows the policy table. The
number of queries does not depend on the number of rows.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cached_property

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.db.models import Count, Exists, OuterRef
from django.urls import reverse
from django.utils import timezone

from connections.models import Authorization, Connection
from connections.models.state_conditions import working
from connections.oauth_clients.client_uses import WaitingConnector, waiting_connectors
from console.accounts.http import SignedInRequest
from console.accounts.models import Membership, Organization
from console.accounts.policy import Action
from console.applications.models import Application
from console.audit.models import Event
from console.audit.sentences import EventSentence, describe_event
from console.choices import Environment
from console.distribution.installed_run import runnable
from console.distribution.models import Listing, Share
from console.distribution.overview import InstallationOverview, installation_overviews
from console.health.models import UnreadableSecret
from console.health.problems import HealthProblem, urgent_problems
from console.inviting.client_organizations import clients_of
from console.inviting.models import Invitation
from console.invocations.recent_calls import RecentCalls, recent_calls
from console.monitoring.readiness import cached_faults
from console.people.person_filters import SECOND_FACTORS
from console.publishing.manifest import ComponentSnapshot
from console.publishing.models import Installation
from console.publishing.unpublished import Unpublished, unpublished_changes
from console.webhooks.models import Delivery

MAX_TASKS = 5
MAX_EVENTS = 6
LATEST = 3
LICENSE_ENDS_WITHIN = timedelta(days=30)


@dataclass(frozen=True, kw_only=True)
class Tile:
    """A number and the page with what it counts, if there is one.

    ``tone`` is set if somebody should look.
    """

    label: str
    value: int
    url: str = ""
    tone: str = ""


@dataclass(frozen=True, kw_only=True)
class ChecklistStep:
    """One step to the first connection that works."""

    label: str
    sentence: str
    url: str
    action: str
    done: bool
    is_next: bool = False


@dataclass(kw_only=True)
class Dashboard:
    """The parts of Home for one request; parts that a person may not see are empty."""

    request: SignedInRequest
    organization: Organization | None = field(init=False)

    def __post_init__(self) -> None:
        own = [membership.organization for membership in self.request.memberships]
        self.organization = self.request.organization or (own[0] if len(own) == 1 else None)

    def may(self, action: Action) -> bool:
        return self.request.user.may(action)

    @property
    def builds(self) -> bool:
        return self.may(Action.MANAGE_CONNECTIONS)

    @property
    def is_operator(self) -> bool:
        return self.request.user.is_superuser

    # What waits for this person

    @cached_property
    def problems(self) -> list[HealthProblem]:
        """Return connections that have stopped or that expire."""
        if not self.may(Action.USE_INSTALLED):
            return []
        return urgent_problems(self.request.user, limit=MAX_TASKS)

    @cached_property
    def installed(self) -> list[InstallationOverview]:
        """Return the installed applications, with what this person has to authorize."""
        if self.organization is None:
            return []
        user = self.request.user
        rows = Installation.objects.allowing(user, Action.USE_INSTALLED)
        rows = rows.filter(organization=self.organization)
        rows = rows.select_related("application__organization", "release")
        found = list(rows.order_by("application__name")[:MAX_TASKS])
        return installation_overviews(self.organization, user, found) if found else []

    @cached_property
    def offers(self) -> list[Share]:
        """Return the applications that were shared and are not installed yet."""
        if not self.may(Action.MANAGE_INSTALLATIONS):
            return []
        rows = Share.objects.offered_to(self.request.user).filter(installation=None)
        if self.organization:
            rows = rows.filter(client=self.organization)
        rows = rows.select_related("application__organization", "release")
        return [row for row in rows[:MAX_TASKS] if not row.has_ended]

    @cached_property
    def updates(self) -> list[InstallationOverview]:
        """Return the installed applications that this person can update."""
        if not self.may(Action.MANAGE_INSTALLATIONS):
            return []
        return [
            each
            for each in self.installed
            if each.newer and not each.is_skipped and not each.installation.has_ended
        ]

    @cached_property
    def missing_clients(self) -> list[WaitingConnector]:
        """Return services whose connections wait for an OAuth client."""
        if not self.may(Action.MANAGE_OAUTH_CLIENTS):
            return []
        return waiting_connectors(self.request.user, self.organization, limit=MAX_TASKS)

    @cached_property
    def unshared(self) -> list[tuple[Application, Organization]]:
        """Return published applications that no client has yet, with a client to share with."""
        if self.organization is None or not self.may(Action.MANAGE_CLIENTS):
            return []
        client = clients_of(self.organization).first()
        if client is None:
            return []
        rows = Application.objects.allowing(self.request.user, Action.MANAGE_CLIENTS)
        rows = rows.filter(organization=self.organization, shares=None)
        rows = rows.exclude(stage__release=None).order_by("name")
        return [(application, client) for application in rows[:MAX_TASKS]]

    @property
    def runs(self) -> list[tuple[InstallationOverview, list[ComponentSnapshot]]]:
        """Return the installed applications with what can be run, for people who only use them."""
        only_uses = not self.may(Action.AUTHORIZE_INSTALLED)
        return [
            (each, runnable(each.installation)[:MAX_TASKS] if only_uses else [])
            for each in self.installed
        ]

    @cached_property
    def unreadable(self) -> list[UnreadableSecret]:
        """Return stored secrets that an operator has to take care of."""
        return list(UnreadableSecret.objects.all()[:MAX_TASKS]) if self.is_operator else []

    @property
    def has_tasks(self) -> bool:
        to_authorize = any(each.to_authorize for each in self.installed)
        return bool(
            to_authorize
            or self.problems
            or self.offers
            or self.updates
            or self.missing_clients
            or self.unshared
            or self.unreadable
        )

    # What happened

    @cached_property
    def calls(self) -> RecentCalls | None:
        """Return the calls of the last seven days, for people who may see calls."""
        if not (self.builds or self.may(Action.AUTHORIZE_INSTALLED)):
            return None
        return recent_calls(self.request.user, self.organization)

    @cached_property
    def unpublished(self) -> list[Unpublished]:
        if not self.builds:
            return []
        return unpublished_changes(self.request.user, self.organization)

    @cached_property
    def latest(self) -> list[Connection]:
        """Return the newest connections."""
        if not self.builds:
            return []
        rows = Connection.objects.visible_to(self.request.user)
        # Not ``created()``: SQLite would use the index of their names, and sort them all.
        rows = rows.exclude(status=Connection.Status.DRAFT)
        if self.organization:
            own = Application.objects.filter(organization=self.organization)
            # With a join, SQLite would sort all connections of the organization.
            rows = rows.filter(Exists(own.filter(pk=OuterRef("application"))))
        return list(rows.select_related("application").order_by("-created_at", "-id")[:LATEST])

    @cached_property
    def events(self) -> list[EventSentence]:
        if not (self.may(Action.READ_AUDIT) or self.is_operator):
            return []
        rows = Event.objects.visible_to(self.request.user)
        if self.organization:
            rows = rows.filter(organization=self.organization)
        rows = rows.select_related("organization").order_by("-at", "-pk")
        return [describe_event(event) for event in rows[:MAX_EVENTS]]

    # The first steps

    @cached_property
    def checklist(self) -> list[ChecklistStep]:
        """Return the steps to the first connection that works; empty once one does."""
        if not self.builds or (self.calls and self.calls.chart.calls):
            return []
        applications = Application.objects.allowing(self.request.user, Action.MANAGE_CONNECTIONS)
        authorized = Authorization.objects.filter(
            working(),
            connection__application__in=applications,
            environment__in=[Environment.ALL, Environment.DEVELOPMENT, Environment.STAGE],
        )
        if self.latest and authorized.exists():
            return []
        has_application = bool(self.latest) or applications.exists()
        if not has_application and self.is_client:
            return []
        may_create = self.may(Action.CREATE_APPLICATIONS)
        newest = self.latest[0] if self.latest else None
        environment = newest.environments[0] if newest else ""
        steps = [
            ChecklistStep(
                label="Create an application",
                sentence="Connections and components belong to an application."
                if may_create or has_application
                else "A super admin of your organization creates applications.",
                url=reverse("application_create") if may_create else "",
                action="Create an application",
                done=has_application,
            ),
            ChecklistStep(
                label="Create a connection",
                sentence="Choose the service that your application calls.",
                url=reverse("connector_list"),
                action="Choose a service",
                done=newest is not None,
            ),
            ChecklistStep(
                label="Authorize it",
                sentence="Sign in at the service, or enter a key, so that it can call the service.",
                url=f"{reverse('connection_authorize', args=[newest.pk])}?environment={environment}"
                if newest
                else "",
                action="Authorize",
                done=False,
            ),
        ]
        following = next(step for step in steps if not step.done)
        return [replace(step, is_next=step is following) for step in steps]

    @cached_property
    def is_client(self) -> bool:
        """Tell whether the organization installs applications of others."""
        accepted = Invitation.objects.as_client().filter(client=self.organization)
        return bool(self.installed or self.offers) or accepted.exists()

    # Numbers

    @cached_property
    def tiles(self) -> list[Tile]:
        """Return what super admins and operators look after."""
        organization = self.organization if self.may(Action.MANAGE_PEOPLE) else None
        tiles = self._people(organization) if organization else []
        return tiles + (self._deployment() if self.is_operator else [])

    def _people(self, organization: Organization) -> list[Tile]:
        members = Membership.objects.active().filter(organization=organization)
        factors = Authenticator.objects.filter(user=OuterRef("user"), type__in=SECOND_FACTORS)
        counted = members.aggregate(
            people=Count("pk"), exposed=Count("pk", filter=~Exists(factors))
        )
        invitations = Invitation.objects.open().filter(organization=organization).count()
        clients = clients_of(organization).count()
        soon = timezone.now() + LICENSE_ENDS_WITHIN
        ending = Share.objects.filter(
            application__organization=organization,
            withdrawn_at=None,
            ends_at__gt=timezone.now(),
            ends_at__lte=soon,
        ).count()
        people = reverse("person_list")
        tiles = [
            Tile(label="People", value=counted["people"], url=people),
            Tile(
                label="Without a second factor",
                value=counted["exposed"],
                url=f"{people}?factor=no&status=active",
                tone="amber" if counted["exposed"] else "",
            ),
            Tile(
                label="Open invitations",
                value=invitations,
                url=reverse("member_invitations"),
            ),
        ]
        if clients:
            place = reverse("client_list")
            tone = "amber" if ending else ""
            label = "Licenses that end within 30 days"
            tiles.append(Tile(label="Clients", value=clients, url=place))
            tiles.append(Tile(label=label, value=ending, url=place, tone=tone))
        return tiles

    def _deployment(self) -> list[Tile]:
        waiting = Delivery.objects.filter(delivered_at=None, next_try_at__isnull=False).count()
        unconfirmed = EmailAddress.objects.filter(verified=False, user__is_active=True).count()
        faults = len(cached_faults.get())
        reviews = Listing.objects.filter(state=Listing.State.SUBMITTED).count()
        return [
            Tile(
                label="Listings to review",
                value=reviews,
                url=reverse("review_list"),
                tone="amber" if reviews else "",
            ),
            Tile(
                label="Addresses to confirm",
                value=unconfirmed,
                url=f"{reverse('admin:account_emailaddress_changelist')}?verified__exact=0",
            ),
            Tile(label="Webhook messages waiting", value=waiting),
            Tile(
                label="Parts that are not ready",
                value=faults,
                url=reverse("readyz"),
                tone="red" if faults else "",
            ),
        ]
