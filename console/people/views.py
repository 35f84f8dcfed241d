"""The people of an organization, and the invitations into it."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from functools import partial

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from console.accounts.http import SeeOther, SignedInRequest
from console.accounts.last_super_admin import LastSuperAdmin
from console.accounts.models import Membership, Organization, User
from console.accounts.policy import Action
from console.applications.models import Application, Right
from console.inviting import inviting
from console.inviting.models import Invitation
from console.pagination import paginate
from console.people import memberships
from console.people.application_rights import needs_rights, set_rights
from console.people.forms import InvitePersonForm, RoleForm
from console.people.impact import affected_authorizations
from console.people.person_filters import PersonFilterForm, people_of
from console.signing_in.reauthentication import reauthentication_required

PAGE_SIZE = 30
#: The verbs that a person confirms after reading what stops or works again.
VERBS: dict[str, Callable[[Membership, User], None]] = {
    "deactivate": memberships.deactivate,
    "reactivate": memberships.reactivate,
    "remove": memberships.remove,
}
DONE = {"deactivate": "was deactivated", "reactivate": "was reactivated", "remove": "was removed"}


@require_safe
def person_list(request: SignedInRequest) -> HttpResponse:
    """List the people of the organization by address, filtered by the query string."""
    organization = _organization(request)
    form = PersonFilterForm(request.GET, user=request.user)
    users = form.users(organization)
    page = paginate(users, request.GET, by="email", size=PAGE_SIZE, ascending=True)
    context = {
        "organization": organization,
        "form": form,
        "tags": form.tags(),
        "page": page,
        "people": people_of(organization, page.rows),
        "open_invitations": _invitations(organization).open().count(),
    }
    return render(request, "people/person_list.html", context)


@require_safe
def person_detail(request: SignedInRequest, pk: int) -> HttpResponse:
    """Show one person: their role, how they sign in, and their rights in applications."""
    membership = _membership(request, pk)
    return _detail(request, membership, RoleForm(initial={"role": membership.role}))


@require_POST
@reauthentication_required
def person_role(request: SignedInRequest, pk: int) -> HttpResponse:
    """Give a person another role."""
    membership = _membership(request, pk)
    form = RoleForm(request.POST)
    if not form.is_valid():
        return _detail(request, membership, form, status=422)
    try:
        memberships.change_role(membership, form.cleaned_data["role"], request.user)
    except (LastSuperAdmin, memberships.NotAMember) as error:
        form.add_error("role", str(error))
        return _detail(request, membership, form, status=409)
    membership.refresh_from_db()
    role = membership.get_role_display().lower()
    messages.success(request, f"{membership.user} is now {role} of {membership.organization}.")
    return _after(request, membership)


@require_POST
@reauthentication_required
def person_rights(request: SignedInRequest, pk: int) -> HttpResponse:
    """Set the rights of a developer in the applications that the form shows."""
    membership = _membership(request, pk)
    applications = Application.objects.filter(
        organization=membership.organization, pk__in=_keys(request.POST.getlist("application"))
    )
    changed = 0
    for application in applications.select_related("organization").order_by("pk"):
        fields = {
            field
            for field in Right.FIELDS.values()
            if f"{application.pk}:{field}" in request.POST.getlist("right")
        }
        changed += set_rights(membership, application, fields, request.user)
    what = f"changed in {changed} application{'' if changed == 1 else 's'}"
    messages.success(
        request, f"The rights of {membership.user} {f'were {what}' if changed else 'are the same'}."
    )
    return _after(request, membership)


@reauthentication_required
@require_http_methods(["GET", "HEAD", "POST"])
def person_review(request: SignedInRequest, pk: int, verb: str) -> HttpResponse:
    """List what stops or works again and ask for confirmation; a POST does it."""
    membership = _membership(request, pk)
    problem = ""
    if request.method == "POST":
        try:
            VERBS[verb](membership, request.user)
        except (LastSuperAdmin, memberships.NotAMember) as error:
            problem = str(error)
        else:
            messages.success(request, f"{membership.user} {DONE[verb]}.")
            return _after(request, None if verb == "remove" else membership)
    context = {
        "membership": membership,
        "verb": verb,
        "affected": affected_authorizations(
            membership.user, membership.organization, reader=request.user
        ),
        "until": memberships.restorable_until(membership),
        "is_lost": memberships.is_lost(membership),
        "days": memberships.RESTORABLE_FOR.days,
        "problem": problem,
    }
    return render(request, "people/person_review.html", context, status=409 if problem else 200)


@require_safe
def member_invitations(request: SignedInRequest) -> HttpResponse:
    """List the invitations into the organization, newest first, with the form to send one."""
    return _invitation_page(request, _organization(request), InvitePersonForm())


@require_POST
@reauthentication_required
def member_invite(request: SignedInRequest) -> HttpResponse:
    """Invite a person by mail."""
    organization = _organization(request)
    form = InvitePersonForm(request.POST)
    if not form.is_valid():
        return _invitation_page(request, organization, form, status=422)
    chosen = form.cleaned_data
    try:
        invitation = inviting.invite(
            organization,
            chosen["email"],
            chosen["role"],
            request.user,
            on_failure=partial(messages.warning, request),
        )
    except inviting.InvitationRefused as error:
        form.add_error("email", str(error))
        return _invitation_page(request, organization, form, status=422)
    messages.success(
        request, f"{invitation.email} was invited. The invitation is valid for 15 days."
    )
    return SeeOther(reverse("member_invitations"))


@require_POST
@reauthentication_required
def member_invitation_resend(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """Send an invitation again, with a new link."""
    send = partial(inviting.resend, on_failure=partial(messages.warning, request))
    done = "{} was invited again. The earlier link no longer works."
    return _change_invitation(request, pk, send, done)


@require_POST
@reauthentication_required
def member_invitation_withdraw(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """Withdraw an invitation, so that its link no longer works."""
    return _change_invitation(request, pk, inviting.withdraw, "The invitation of {} was withdrawn.")


def _organization(request: SignedInRequest) -> Organization:
    """Return the organization that the page is about: the active one, or the person's only one."""
    allowed = Organization.objects.allowing(request.user, Action.MANAGE_PEOPLE)
    organization = (
        allowed.filter(pk=request.organization.pk).first()
        if request.organization
        else allowed.first()
    )
    if organization is None:
        raise PermissionDenied
    return organization


def _membership(request: SignedInRequest, pk: int) -> Membership:
    own = Organization.objects.allowing(request.user, Action.MANAGE_PEOPLE)
    rows = Membership.objects.filter(organization__in=own)
    return get_object_or_404(rows.select_related("user", "organization"), pk=pk)


def _detail(
    request: SignedInRequest, membership: Membership, form: RoleForm, *, status: int = 200
) -> HttpResponse:
    organization = membership.organization
    may_give = Application.objects.allowing(request.user, Action.CREATE_APPLICATIONS)
    rights = {row.application_id: row for row in Right.objects.filter(user=membership.user)}
    applications = may_give.filter(organization=organization).order_by("name", "pk")
    context = {
        "person": people_of(organization, [membership.user])[0],
        "membership": membership,
        "form": form,
        "needs_rights": needs_rights(membership.role),
        "applications": [(each, rights.get(each.pk)) for each in applications],
        "is_self": membership.user_id == request.user.pk,
        "until": memberships.restorable_until(membership),
        "is_lost": memberships.is_lost(membership),
    }
    return render(request, "people/person_detail.html", context, status=status)


def _after(request: SignedInRequest, membership: Membership | None) -> HttpResponse:
    """Return to the person, to the list, or to Home if people changed their own role."""
    if not Organization.objects.allowing(request.user, Action.MANAGE_PEOPLE).exists():
        return SeeOther(reverse("home"))
    if membership is None:
        return SeeOther(reverse("person_list"))
    return SeeOther(reverse("person_detail", args=[membership.pk]))


def _invitations(organization: Organization):  # type: ignore[no-untyped-def]
    return Invitation.objects.filter(organization=organization).into_organization()


def _invitation_page(
    request: SignedInRequest,
    organization: Organization,
    form: InvitePersonForm,
    *,
    status: int = 200,
) -> HttpResponse:
    rows = _invitations(organization).select_related("invited_by")
    page = paginate(rows, request.GET, by="sent_at", size=PAGE_SIZE)
    context = {"organization": organization, "form": form, "page": page}
    return render(request, "people/member_invitations.html", context, status=status)


def _change_invitation(
    request: SignedInRequest, pk: uuid.UUID, verb: Callable[[Invitation, User], object], done: str
) -> HttpResponse:
    own = Organization.objects.allowing(request.user, Action.MANAGE_PEOPLE)
    rows = Invitation.objects.filter(organization__in=own).into_organization()
    invitation = get_object_or_404(rows.select_related("organization"), pk=pk)
    try:
        verb(invitation, request.user)
    except inviting.InvitationRefused as error:
        messages.error(request, str(error))
    else:
        messages.success(request, done.format(invitation.email))
    return SeeOther(reverse("member_invitations"))


def _keys(texts: list[str]) -> list[uuid.UUID]:
    """Parse the keys of a form, and skip what is none."""
    found = []
    for text in texts:
        try:
            found.append(uuid.UUID(text))
        except ValueError:
            continue
    return found
