"""Mail about what was shared, installed and reviewed, to those whom it concerns.

It goes out after the commit. Whether a mail server takes it changes nothing: all that a mail
leads to stands in the console, too.
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
    """List the people of an organization who may do this with all that it owns."""
    rows = Membership.objects.active().filter(
        organization=organization, role__in=held_by(action), user__is_active=True
    )
    return [row.user for row in rows.select_related("user").order_by("user__email")]


def mail(name: str, people: Iterable[User], **context: Any) -> None:
    """Send everybody a mail of his own once the transaction is kept.

    ``name`` is that of a template; its first line is the subject.
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
