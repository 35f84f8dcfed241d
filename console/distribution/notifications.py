"""Send mail about shares, installations and reviews.

Mail is sent after the commit. If it cannot be sent, nothing else fails: everything that a mail
links to can also be found in the console.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from functools import partial
from typing import Any

from django.core.mail import EmailMessage, get_connection
from django.db import transaction
from django.template.loader import render_to_string

from console.accounts.models import Membership, Organization, User
from console.accounts.policy import Action, held_by

logger = logging.getLogger(__name__)


def members_who_may(organization: Organization, action: Action) -> list[User]:
    """List the people whose role in an organization allows an action."""
    rows = Membership.objects.active().filter(
        organization=organization, role__in=held_by(action), user__is_active=True
    )
    return [row.user for row in rows.select_related("user").order_by("user__email")]


def mail(name: str, people: Iterable[User], **context: Any) -> None:
    """Send each person a separate mail after the commit.

    ``name`` is the name of a template; its first line is the subject.
    """
    addresses = [user.email for user in people]
    if addresses:
        subject, _, body = (
            render_to_string(f"distribution/email/{name}.txt", context).strip().partition("\n")
        )
        messages = [EmailMessage(subject.strip(), body.strip() + "\n", to=[a]) for a in addresses]
        transaction.on_commit(partial(_send, name, messages), robust=True)


def _send(name: str, messages: list[EmailMessage]) -> None:
    try:
        get_connection().send_messages(messages)
    except OSError:
        logger.exception("Mail was not sent: %s.", name)
