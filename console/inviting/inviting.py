"""Invite people and clients, send an invitation again, withdraw one.

Each function runs in a transaction of its own, in which it checks the permission of ``by``
(``NotAllowed``), and raises :class:`InvitationRefused` if it cannot be done. The mail is sent
after the commit. If that fails, the invitation is kept and ``on_failure`` gets a message.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from datetime import timedelta
from functools import partial

from django.db import transaction
from django.utils import timezone

from console import mail
from console.accounts import authority
from console.accounts.email_addresses import account_of
from console.accounts.last_super_admin import lock_organizations
from console.accounts.models import Membership, Organization, User
from console.accounts.policy import Action
from console.audit.actions import AuditAction
from console.audit.log import record
from console.inviting.client_organizations import led_by, possible_clients
from console.inviting.models import Invitation
from console.public_url import public_url

LIFETIME = timedelta(days=15)
OnFailure = Callable[[str], object]


class InvitationRefused(Exception):
    """Nothing was changed; the message is for people."""


def digest(token: str) -> str:
    """Hash the token of an invitation; 256 random bits need no salt."""
    return hashlib.sha256(token.encode()).hexdigest()


def refusal(organization: Organization, email: str, role: str) -> str:
    """Return why an address cannot be invited, or an empty string."""
    email = User.objects.normalize_email(email)
    open_invitations = Invitation.objects.open().filter(organization=organization, email=email)
    if role:
        open_invitations = open_invitations.into_organization()
        members = Membership.objects.filter(organization=organization, user=account_of(email))
        member = members.first()
        if member and member.deactivated_at:
            return f"{email} is deactivated in {organization}. Reactivate them instead."
        if member:
            return f"{email} is already a member of {organization}."
    else:
        open_invitations = open_invitations.as_client()
        user = account_of(email)
        own = list(led_by(user, organization))
        if user and own and not possible_clients(user, organization).exists():
            names = " and ".join(each.name for each in own)
            is_one = "is already a client" if len(own) == 1 else "are already clients"
            return f"{names}, which {email} leads, {is_one} of {organization}."
    if open_invitations.exists():
        return f"{email} is already invited. Send that invitation again instead."
    return ""


def invite(
    organization: Organization, email: str, role: str, by: User, *, on_failure: OnFailure
) -> Invitation:
    """Invite an address into an organization or, without a role, as its client."""
    email, token = User.objects.normalize_email(email), secrets.token_urlsafe(32)
    with transaction.atomic():
        _check_and_lock(organization, by)
        if problem := refusal(organization, email, role):
            raise InvitationRefused(problem)
        invitation = Invitation.objects.create(
            organization=organization,
            email=email,
            role=role,
            token_hash=digest(token),
            invited_by=by,
            expires_at=timezone.now() + LIFETIME,
        )
        record(AuditAction.INVITATION_SENT, organization, by, invitation, role=role or "client")
        _mail(invitation, token, on_failure)
    return invitation


def resend(invitation: Invitation, by: User, *, on_failure: OnFailure) -> Invitation:
    """Send a new link, valid for 15 days; the previous link no longer works."""
    token = secrets.token_urlsafe(32)
    with transaction.atomic():
        row = _lock_open(invitation, by)
        row.token_hash, row.invited_by = digest(token), by
        row.sent_at = timezone.now()
        row.expires_at = row.sent_at + LIFETIME
        row.save()
        record(AuditAction.INVITATION_RESENT, row.organization_id, by, row)
        _mail(row, token, on_failure)
    return row


def withdraw(invitation: Invitation, by: User) -> Invitation:
    """Withdraw an invitation, so that its link no longer works."""
    with transaction.atomic():
        row = _lock_open(invitation, by)
        row.withdrawn_at = timezone.now()
        row.save(update_fields=["withdrawn_at"])
        record(AuditAction.INVITATION_WITHDRAWN, row.organization_id, by, row)
    return row


def _check_and_lock(organization: Organization, by: User) -> None:
    """Check the permission to invite, and lock the organization."""
    lock_organizations([organization.pk])
    if not by.is_superuser:
        authority.check_and_lock(by, organization, Action.MANAGE_PEOPLE)


def _lock_open(invitation: Invitation, by: User) -> Invitation:
    _check_and_lock(invitation.organization, by)
    rows = Invitation.objects.select_for_update(of=("self",)).select_related("organization")
    row = rows.get(pk=invitation.pk)
    if row.accepted_at:
        raise InvitationRefused(f"The invitation of {row.email} was already accepted.")
    if row.withdrawn_at:
        raise InvitationRefused(f"The invitation of {row.email} was withdrawn. Invite them again.")
    return row


def _mail(invitation: Invitation, token: str, on_failure: OnFailure) -> None:
    if mail.is_off():
        problem = (
            f"The invitation of {invitation.email} was saved, but no mail was sent: this console "
            "has no mail server. Ask an operator to set EMAIL_URL, then send the invitation again."
        )
        transaction.on_commit(partial(on_failure, problem))
        return
    problem = (
        f"The invitation of {invitation.email} was saved, but the mail server did not accept the "
        "mail. Send the invitation again later, or ask an operator to check EMAIL_URL."
    )
    mail.send_after_commit(
        "inviting/email/invitation",
        [invitation.email],
        {"invitation": invitation, "url": public_url("invitation_open", token)},
        on_failure=partial(on_failure, problem),
    )
