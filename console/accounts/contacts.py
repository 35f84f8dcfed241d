"""Find the people to contact about something that stopped working."""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from django.db.models import QuerySet

from console.accounts.models import User
from console.accounts.policy import Action, roles_for
from console.choices import Role


def contacts_for(
    organization: uuid.UUID, set_up_by: uuid.UUID | None, action: Action
) -> list[User]:
    """Return the person who set it up or, if they cannot fix it, the super admins.

    ``action`` is the permission that is needed to set it up again. People without an e-mail
    address are left out.
    """
    members = _members(organization, roles_for(action))
    known = list(members.filter(pk=set_up_by)) if set_up_by else []
    return known or list(_members(organization, {Role.SUPER_ADMIN}))


def _members(organization: uuid.UUID, roles: Iterable[str]) -> QuerySet[User]:
    return User.objects.filter(
        is_active=True,
        memberships__organization=organization,
        memberships__deactivated_at=None,
        memberships__role__in=roles,
    ).exclude(email="")
