"""Find the organization that a person acts for on pages without an object in the URL."""

from __future__ import annotations

from console.accounts.http import SignedInRequest
from console.accounts.models import Organization
from console.accounts.policy import ALLOWED, Action


def organization_for(request: SignedInRequest, action: Action) -> Organization | None:
    """Return the organization in which the person's role allows the action.

    It is the active organization, or the only one that fits. Return None if there are several:
    the person has to choose one.
    """
    allowed = [
        membership.organization
        for membership in request.memberships
        if membership.role in ALLOWED[action]
        and request.organization in (None, membership.organization)
    ]
    return allowed[0] if len(allowed) == 1 else None
