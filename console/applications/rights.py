"""Check and lock what a person may do with an application, by role or by right."""

from __future__ import annotations

from console.accounts import authority
from console.accounts.models import User
from console.accounts.policy import NEEDS_RIGHT, Action
from console.applications.models import Application, Right


def hold(user: User, application: Application, action: Action) -> None:
    """Lock the person's authority for an action until the end of the transaction.

    Raise :class:`~console.accounts.authority.NotAllowed` if the person may not do it. Call it
    after the application's row is locked and before any row of its components or connections.
    """
    given = Right.objects.giving(user, action) if action in NEEDS_RIGHT else Right.objects.none()
    authority.check_and_lock(
        user, application.organization, action, given=given.filter(application=application)
    )
