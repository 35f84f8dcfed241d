"""Authority that lasts as long as a change: who may act when it begins may when it is kept.

A page asks a queryset who may. Between that and the commit somebody else may take the role,
the right or the account away; so a change asks once more, in its own transaction, and holds
the answer until it ends.
"""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import models

from console.accounts.models import Membership, Organization, User
from console.accounts.policy import Action, given_to, held_by


class NotAllowed(PermissionDenied):
    """The person may not do it, or may not do it any more; the message is for people."""


def hold(
    user: User,
    organization: Organization,
    action: Action,
    *,
    given: models.QuerySet[Any] | None = None,
) -> None:
    """Let nobody take the person's authority until the transaction ends.

    ``given`` are the rows that give him the action where his role alone does not. Raise
    :class:`NotAllowed` where he may not do it (any more). Call it after the application's
    row is locked and before any other is (see the order of locks in
    :mod:`console.audit.log`).
    """
    # His own row first, as Administration does. Rows that are written refer to a person, so
    # his key stays free; whoever writes the same rows waits.
    rows = Membership.objects.select_for_update(no_key=True, of=("user", "self"))
    membership = (
        rows.select_related("user")
        .filter(user=user, organization=organization, user__is_active=True, deactivated_at=None)
        .first()
    )
    role = membership.role if membership else None
    if role in held_by(action):
        return
    if role in given_to(action) and given is not None and given.select_for_update().first():
        return
    raise NotAllowed(
        f"{user} may not do this in {organization} any more, so nothing was changed. A super "
        "admin of it can do it, or allow it again."
    )
