"""For which organization somebody acts where no row says it."""

from __future__ import annotations

from console.accounts.http import SignedInRequest
from console.accounts.models import Organization
from console.accounts.policy import ALLOWED, Action


def organization_for(request: SignedInRequest, action: Action) -> Organization | None:
    """Return the active organization, or the only one in which his role opens the door.

    None where several could be meant: then he has to say which.
    """
    own = [
        membership.organization
        for membership in request.memberships
        if membership.role in ALLOWED[action]
        and request.organization in (None, membership.organization)
    ]
    return own[0] if len(own) == 1 else None
