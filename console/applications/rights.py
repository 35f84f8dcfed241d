"""Who may do what with one application: his role's share, and what was given to him."""

from __future__ import annotations

from console.accounts import authority
from console.accounts.models import User
from console.accounts.policy import NEEDS_RIGHT, Action
from console.applications.models import Application, Right


def hold(user: User, application: Application, action: Action) -> None:
    """Let nobody take from the person what he needs for this until the transaction ends.

    Raise :class:`~console.accounts.authority.NotAllowed` where he may not do it (any more).
    Call it when the application's row is locked, before anything that it is made of is.
    """
    given = Right.objects.giving(user, action) if action in NEEDS_RIGHT else Right.objects.none()
    authority.check_and_lock(
        user, application.organization, action, given=given.filter(application=application)
    )
