"""Accept an invitation: become a member, or make an organization a client."""

from __future__ import annotations

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.text import slugify

from console.accounts.email_addresses import has_confirmed
from console.accounts.last_super_admin import lock_organizations
from console.accounts.models import Membership, Organization, User
from console.audit.actions import AuditAction
from console.audit.log import AuditEntry, Subject, record_all
from console.choices import Role
from console.inviting.client_organizations import clients_of
from console.inviting.inviting import InvitationRefused, digest
from console.inviting.models import Invitation


def find(token: str) -> Invitation | None:
    """Return the invitation of a token, whatever its status."""
    rows = Invitation.objects.select_related("organization", "invited_by")
    return rows.filter(token_hash=digest(token)).first()


def why_closed(invitation: Invitation) -> str:
    """Return why an invitation can no longer be accepted, or an empty string."""
    organization = invitation.organization
    match invitation.status:
        case Invitation.Status.ACCEPTED:
            return "This invitation was already accepted. Sign in to continue."
        case Invitation.Status.WITHDRAWN:
            return f"This invitation was withdrawn. Ask a super admin of {organization} why."
        case Invitation.Status.EXPIRED:
            return (
                "This invitation has expired after 15 days. Ask a super admin of "
                f"{organization} to send it again."
            )
    return ""


def is_for(invitation: Invitation, user: User) -> bool:
    """Tell whether the invitation was sent to an address that the person has confirmed."""
    return has_confirmed(user, invitation.email)


@transaction.atomic
def accept(
    invitation: Invitation,
    user: User,
    *,
    client: Organization | None = None,
    client_name: str = "",
) -> Invitation:
    """Accept an invitation with an existing account; raise :class:`InvitationRefused`.

    An invitation of a client needs ``client``, an organization of which the person is super
    admin, or ``client_name`` for a new organization, whose super admin they become.
    """
    keys = {invitation.organization_id} | ({client.pk} if client else set())
    lock_organizations(keys)
    row = _lock_open(invitation)
    if not is_for(row, user):
        raise InvitationRefused(f"This invitation is for {row.email}.")
    _apply(row, user, client, client_name)
    return row


@transaction.atomic
def join(invitation: Invitation, password: str, *, client_name: str = "") -> User:
    """Create an account and accept the invitation with it; raise :class:`InvitationRefused`.

    The address counts as confirmed because the link was mailed to it.
    """
    lock_organizations([invitation.organization_id])
    row = _lock_open(invitation)
    try:
        with transaction.atomic():
            user = User.objects.create_user(row.email, password)
    except IntegrityError as error:
        raise InvitationRefused(f"{row.email} already has an account. Sign in with it.") from error
    _apply(row, user, None, client_name)
    return user


def _lock_open(invitation: Invitation) -> Invitation:
    rows = Invitation.objects.select_for_update(of=("self",)).select_related("organization")
    row = rows.filter(pk=invitation.pk).first()
    if row is None:
        raise InvitationRefused("This invitation no longer exists.")
    if row.token_hash != invitation.token_hash:
        raise InvitationRefused("This invitation was sent again. Use the link in the newest mail.")
    if closed := why_closed(row):
        raise InvitationRefused(closed)
    return row


def _apply(row: Invitation, user: User, client: Organization | None, client_name: str) -> None:
    """Create the membership or client, and record it."""
    new_organization = None
    if not row.is_for_client:
        if Membership.objects.filter(user=user, organization=row.organization).exists():
            raise InvitationRefused(f"You are already a member of {row.organization}.")
        Membership.objects.create(user=user, organization=row.organization, role=row.role)
    elif client is None:
        if not client_name.strip():
            raise InvitationRefused("Enter a name for the new client organization.")
        row.client = new_organization = _create_organization(client_name.strip())
        Membership.objects.create(user=user, organization=new_organization, role=Role.SUPER_ADMIN)
    elif client.pk == row.organization_id:
        raise InvitationRefused(f"{client} cannot become a client of itself.")
    elif not _is_super_admin(user, client):
        raise InvitationRefused(f"Only a super admin of {client} can make it a client.")
    elif clients_of(row.organization).filter(pk=client.pk).exists():
        raise InvitationRefused(f"{client} is already a client of {row.organization}.")
    else:
        row.client = client
    row.accepted_at, row.accepted_by = timezone.now(), user
    row.save(update_fields=["accepted_at", "accepted_by", "client"])
    # The person's key, as in events of memberships.
    accepted = AuditEntry(
        action=AuditAction.INVITATION_ACCEPTED,
        subject=Subject(type="invitation", id=str(user.pk), label=user.email),
        details={
            "organization": row.organization.name,
            "role": row.role,
            "client": str(row.client or ""),
        },
    )
    entries = {row.organization_id: accepted}
    if new_organization:
        entries[new_organization.pk] = AuditEntry(
            action=AuditAction.ORGANIZATION_CREATED, subject=Subject.of(new_organization)
        )
    for organization in sorted(entries):  # the one order in which audit logs are locked
        record_all(organization, user, [entries[organization]])


def _is_super_admin(user: User, organization: Organization) -> bool:
    rows = Membership.objects.active().select_for_update(no_key=True)
    row = rows.filter(user=user, organization=organization, role=Role.SUPER_ADMIN).first()
    return row is not None


def _create_organization(name: str) -> Organization:
    """Create an organization with a slug that is not used yet."""
    base = slugify(name)[:40] or "organization"
    number, slug = 1, base
    while Organization.objects.filter(slug=slug).exists():
        number += 1
        slug = f"{base}-{number}"
    return Organization.objects.create(name=name, slug=slug)
