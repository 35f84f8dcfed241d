"""Which organizations are clients of another one, and which can become one."""

from __future__ import annotations

from django.db.models import QuerySet

from console.accounts.models import Organization, User
from console.accounts.policy import Action
from console.inviting.models import Invitation


def clients_of(organization: Organization) -> QuerySet[Organization]:
    """Return the client organizations of this one, sorted by name."""
    accepted = Invitation.objects.as_client().filter(
        organization=organization, accepted_at__isnull=False
    )
    return Organization.objects.filter(pk__in=accepted.values("client")).order_by("name", "slug")


def led_by(user: User | None, organization: Organization) -> QuerySet[Organization]:
    """Return the other organizations for which a person can accept an invitation."""
    if user is None:
        return Organization.objects.none()
    own = Organization.objects.allowing(user, Action.MANAGE_INSTALLATIONS)
    return own.exclude(pk=organization.pk).order_by("name", "slug")


def possible_clients(user: User, organization: Organization) -> QuerySet[Organization]:
    """Return those of them that are not its clients yet."""
    return led_by(user, organization).exclude(pk__in=clients_of(organization).values("pk"))
