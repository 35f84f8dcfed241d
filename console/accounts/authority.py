"""Check a permission inside the transaction of a change, and lock the rows that give it.

A page checks permissions with a queryset. Between that check and the commit, someone may take
the role, the right or the account away. So each change checks again in its own transaction and
locks the membership, which cannot change until the transaction ends.
"""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import models

from console.accounts.models import Membership, Organization, User
from console.accounts.policy import Action, roles_for, roles_needing_right


class NotAllowed(PermissionDenied):
    """The person may not do this, or no longer may; the message is for people."""


def check_and_lock(
    user: User,
    organization: Organization,
    action: Action,
    *,
    given: models.QuerySet[Any] | None = None,
) -> None:
    """Check that a person may do this, and lock their membership until the transaction ends.

    ``given`` are the rights that allow the action where the role is not enough; the right that
    is used is locked as well. Raise :class:`NotAllowed` if the person may not do it. Call this
    after locking the application's row and before locking any other (see the order of locks in
    :mod:`console.audit.log`).
    """
    # The user's row is locked before the membership, in the same order as in Administration.
    # ``no_key`` lets other transactions insert rows that refer to the user.
    rows = Membership.objects.select_for_update(no_key=True, of=("user", "self"))
    membership = (
        rows.select_related("user")
        .filter(user=user, organization=organization, user__is_active=True, deactivated_at=None)
        .first()
    )
    role = membership.role if membership else None
    if role in roles_for(action):
        return
    needs_right = role in roles_needing_right(action)
    if needs_right and given is not None and given.select_for_update().first():
        return
    raise NotAllowed(
        f"{user} no longer has permission to do this in {organization}. Nothing was changed. Ask "
        f"a super admin of {organization} for permission."
    )
