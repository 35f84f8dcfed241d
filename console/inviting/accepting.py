"""Accept an invitation: become a member, or let an organization become a client."""

from __future__ import annotations

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.text import slugify

from console.accounts.email_addresses import has_confirmed
from console.accounts.last_super_admin import hold_organizations
from console.accounts.models import Membership, Organization, User
from console.accounts.policy import Action
from console.audit.actions import AuditAction
from console.audit.log import AuditEntry, Subject, record_all
from console.choices import Role
from console.inviting.inviting import InvitationRefused, digest
from console.inviting.models import Invitation


def find(token: str) -> Invitation | None:
    """Return what a link leads to, whatever has become of it."""
    rows = Invitation.objects.select_related("organization", "invited_by")
    return rows.filter(token_hash=digest(token)).first()


def why_closed(invitation: Invitation) -> str:
    """Say why nobody can accept it any more, or return nothing."""
    organization = invitation.organization
    match invitation.status:
        case Invitation.Status.ACCEPTED:
            return "This invitation was accepted already. Sign in to go on."
        case Invitation.Status.WITHDRAWN:
            return f"This invitation was withdrawn. Ask a super admin of {organization} why."
        case Invitation.Status.EXPIRED:
            return (
                "This invitation is older than 15 days. Ask a super admin of "
                f"{organization} to send it again."
            )
    return ""


def is_for(invitation: Invitation, user: User) -> bool:
    """Tell whether the person was invited, by an address that is confirmed to be theirs."""
    return has_confirmed(user, invitation.email)


def clients_of(invitation: Invitation, user: User) -> list[Organization]:
    """List the organizations that the person may make a client."""
    own = Organization.objects.allowing(user, Action.MANAGE_INSTALLATIONS)
    return list(own.exclude(pk=invitation.organization_id).order_by("name", "slug"))


@transaction.atomic
def accept(
    invitation: Invitation,
    user: User,
    *,
    client: Organization | None = None,
    client_name: str = "",
) -> Invitation:
    """Do what the invitation says, once; raise :class:`Refused` where it cannot be done.

    One for a client takes ``client``, of which the person is super admin, or ``client_name``
    of an organization to make, whose super admin he becomes.
    """
    keys = {invitation.organization_id} | ({client.pk} if client else set())
    hold_organizations(keys)
    row = _open(invitation)
    if not is_for(row, user):
        raise InvitationRefused(f"This invitation is for {row.email}.")
    _become(row, user, client, client_name)
    return row


@transaction.atomic
def join(invitation: Invitation, password: str, *, client_name: str = "") -> User:
    """Make an account for who has none, and accept with it; raise :class:`Refused`.

    The address is confirmed: the link was sent to it.
    """
    hold_organizations([invitation.organization_id])
    row = _open(invitation)
    try:
        with transaction.atomic():
            user = User.objects.create_user(row.email, password)
    except IntegrityError as error:
        raise InvitationRefused(
            f"There is an account of {row.email} already. Sign in with it."
        ) from error
    _become(row, user, None, client_name)
    return user


def _open(invitation: Invitation) -> Invitation:
    rows = Invitation.objects.select_for_update(of=("self",)).select_related("organization")
    row = rows.filter(pk=invitation.pk).first()
    if row is None:
        raise InvitationRefused("This invitation is not there any more.")
    # A link that was sent anew meanwhile leaves the old one dead.
    if row.token_hash != invitation.token_hash:
        raise InvitationRefused("This invitation was sent again meanwhile. Use the newer link.")
    if closed := why_closed(row):
        raise InvitationRefused(closed)
    return row


def _become(row: Invitation, user: User, client: Organization | None, client_name: str) -> None:
    """Do what the invitation says and write it down, also where an organization is made."""
    made = None
    if not row.is_for_client:
        if Membership.objects.filter(user=user, organization=row.organization).exists():
            raise InvitationRefused(f"You belong to {row.organization} already.")
        Membership.objects.create(user=user, organization=row.organization, role=row.role)
    elif client is None:
        if not client_name.strip():
            raise InvitationRefused("Name the organization that is to become a client.")
        row.client = made = _organization(client_name.strip())
        Membership.objects.create(user=user, organization=made, role=Role.SUPER_ADMIN)
    elif client.pk == row.organization_id:
        raise InvitationRefused(f"{client} cannot become a client of itself.")
    elif not _is_super_admin(user, client):
        raise InvitationRefused(f"Only a super admin of {client} can make it a client.")
    else:
        row.client = client
    row.accepted_at, row.accepted_by = timezone.now(), user
    row.save(update_fields=["accepted_at", "accepted_by", "client"])
    # Known by the person, as his membership is.
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
    if made:
        created = AuditEntry(action=AuditAction.ORGANIZATION_CREATED, subject=Subject.of(made))
        entries[made.pk] = created
    for chain in sorted(entries):
        record_all(chain, user, [entries[chain]])


def _is_super_admin(user: User, organization: Organization) -> bool:
    rows = Membership.objects.active().select_for_update(no_key=True)
    row = rows.filter(user=user, organization=organization, role=Role.SUPER_ADMIN).first()
    return row is not None


def _organization(name: str) -> Organization:
    """Make an organization under a slug that is free."""
    base = slugify(name)[:40] or "organization"
    number, slug = 1, base
    while Organization.objects.filter(slug=slug).exists():
        number += 1
        slug = f"{base}-{number}"
    return Organization.objects.create(name=name, slug=slug)
