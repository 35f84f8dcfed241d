"""Mail about shares, installations and marketplace reviews, sent after the commit.

Nothing depends on the mail server: each mail links to a page that shows the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from console.accounts.models import Membership, Organization, User
from console.accounts.policy import Action, roles_for
from console.mail import send_after_commit


def members_who_may(organization: Organization, action: Action) -> list[User]:
    """List the people of an organization who may do this with everything that it owns."""
    rows = Membership.objects.active().filter(
        organization=organization, role__in=roles_for(action), user__is_active=True
    )
    return [row.user for row in rows.select_related("user").order_by("user__email")]


def mail(name: str, people: Iterable[User], **context: Any) -> None:
    """Send ``distribution/email/<name>`` to each of these people after the commit."""
    send_after_commit(f"distribution/email/{name}", [user.email for user in people], context)
