"""Whom to ask when something that somebody set up has stopped."""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from django.db.models import QuerySet

from console.accounts.models import User
from console.accounts.policy import Action, held_by
from console.choices import Role


def who_can_mend(
    organization: uuid.UUID, set_up_by: uuid.UUID | None, action: Action
) -> list[User]:
    """Return who set it up, while he may and can be mailed, or else the super admins.

    ``action`` is what somebody must be allowed to set it up again.
    """
    members = _members(organization, held_by(action))
    known = list(members.filter(pk=set_up_by)) if set_up_by else []
    return known or list(_members(organization, {Role.SUPER_ADMIN}))


def _members(organization: uuid.UUID, roles: Iterable[str]) -> QuerySet[User]:
    return User.objects.filter(
        is_active=True,
        memberships__organization=organization,
        memberships__deactivated_at=None,
        memberships__role__in=roles,
    ).exclude(email="")
