"""Whom to ask when something that somebody set up has stopped."""

from __future__ import annotations

import uuid

from console.accounts.models import User
from console.accounts.policy import Role


def who_can_mend(organization: uuid.UUID, set_up_by: uuid.UUID | None) -> list[User]:
    """Return who set it up, while he belongs there and can be mailed, or else the super admins."""
    members = User.objects.filter(is_active=True, memberships__organization=organization).exclude(
        email=""
    )
    known = list(members.filter(pk=set_up_by)) if set_up_by else []
    return known or list(members.filter(memberships__role=Role.SUPER_ADMIN))
