"""Ask somebody in: invite, send anew, withdraw.

Each verb asks in its own transaction whether ``by`` may (``NotAllowed``) and raises
:class:`Refused` with a sentence where it cannot be done. The mail goes out after the commit;
``unsent`` is called with a sentence where it did not, and the invitation stays all the same.
"""

from __future__ import annotations

import hashlib
import logging
import secrets
from collections.abc import Callable
from datetime import timedelta
from functools import partial

from django.core.mail import send_mail
from django.db import transaction
from django.template.loader import render_to_string
from django.utils import timezone

from console import mail
from console.accounts import authority
from console.accounts.email_addresses import account_of
from console.accounts.last_super_admin import hold_organizations
from console.accounts.models import Membership, Organization, User
from console.accounts.policy import Action
from console.audit.actions import AuditAction
from console.audit.log import record
from console.inviting.models import Invitation
from console.public_url import public_url

LIFETIME = timedelta(days=15)
Unsent = Callable[[str], object]

logger = logging.getLogger(__name__)


class InvitationRefused(Exception):
    """It cannot be done, and nothing was changed; the message is for people."""


def digest(token: str) -> str:
    """Hash a random token of 256 bits; no salt is needed at that length."""
    return hashlib.sha256(token.encode()).hexdigest()


def refusal(organization: Organization, email: str, role: str) -> str:
    """Say why an address cannot be invited, or return nothing."""
    email = User.objects.normalize_email(email)
    open_ones = Invitation.objects.open().filter(organization=organization, email=email)
    if role:
        open_ones = open_ones.into_organization()
        members = Membership.objects.filter(organization=organization, user=account_of(email))
        member = members.first()
        if member and member.deactivated_at:
            return f"{email} is deactivated in {organization}. Reactivate him instead."
        if member:
            return f"{email} belongs to {organization} already."
    else:
        open_ones = open_ones.as_client()
    if open_ones.exists():
        return f"{email} is invited already. Send that invitation again instead."
    return ""


def invite(
    organization: Organization, email: str, role: str, by: User, *, unsent: Unsent
) -> Invitation:
    """Invite an address into an organization or, without a role, as its client."""
    email, token = User.objects.normalize_email(email), secrets.token_urlsafe(32)
    with transaction.atomic():
        _hold(organization, by)
        if why_not := refusal(organization, email, role):
            raise InvitationRefused(why_not)
        invitation = Invitation.objects.create(
            organization=organization,
            email=email,
            role=role,
            token_hash=digest(token),
            invited_by=by,
            expires_at=timezone.now() + LIFETIME,
        )
        record(AuditAction.INVITATION_SENT, organization, by, invitation, role=role or "client")
        transaction.on_commit(partial(_send, invitation, token, unsent))
    return invitation


def resend(invitation: Invitation, by: User, *, unsent: Unsent) -> Invitation:
    """Send another token, good for 15 days; the old one is dead."""
    token = secrets.token_urlsafe(32)
    with transaction.atomic():
        row = _open(invitation, by)
        row.token_hash, row.invited_by = digest(token), by
        row.sent_at = timezone.now()
        row.expires_at = row.sent_at + LIFETIME
        row.save()
        record(AuditAction.INVITATION_RESENT, row.organization_id, by, row)
        transaction.on_commit(partial(_send, row, token, unsent))
    return row


def withdraw(invitation: Invitation, by: User) -> Invitation:
    """Let nobody accept it any more."""
    with transaction.atomic():
        row = _open(invitation, by)
        row.withdrawn_at = timezone.now()
        row.save(update_fields=["withdrawn_at"])
        record(AuditAction.INVITATION_WITHDRAWN, row.organization_id, by, row)
    return row


def _hold(organization: Organization, by: User) -> None:
    """Let nobody else change who belongs to it, if this person may invite."""
    hold_organizations([organization.pk])
    if not by.is_superuser:
        authority.hold(by, organization, Action.MANAGE_PEOPLE)


def _open(invitation: Invitation, by: User) -> Invitation:
    _hold(invitation.organization, by)
    rows = Invitation.objects.select_for_update(of=("self",)).select_related("organization")
    row = rows.get(pk=invitation.pk)
    if row.accepted_at:
        raise InvitationRefused(f"{row.email} has accepted the invitation already.")
    if row.withdrawn_at:
        raise InvitationRefused(f"The invitation of {row.email} was withdrawn. Invite him anew.")
    return row


def _send(invitation: Invitation, token: str, unsent: Unsent) -> None:
    if mail.is_off():
        unsent(
            f"No mail was sent to {invitation.email}, who is invited: this console has no mail "
            "server. Whoever runs it can set EMAIL_URL; then send the invitation again."
        )
        return
    context = {"invitation": invitation, "url": public_url("invitation_open", token)}
    subject = render_to_string("inviting/email/invitation_subject.txt", context)
    body = render_to_string("inviting/email/invitation_message.txt", context)
    try:
        send_mail(" ".join(subject.split()), body, None, [invitation.email])
    except OSError:
        logger.exception("An invitation was not sent.")
        unsent(
            f"The mail to {invitation.email}, who is invited, could not be sent: the mail server "
            "did not take it. Send the invitation again later; whoever runs this console can mend "
            "EMAIL_URL."
        )
