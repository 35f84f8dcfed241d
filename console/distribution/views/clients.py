"""Pages for the clients of an organization: invitations and shares."""

from __future__ import annotations

import uuid
from functools import partial
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from console.accounts.http import SeeOther, SignedInRequest
from console.accounts.models import Organization
from console.accounts.policy import Action
from console.applications.models import Application
from console.distribution import sharing
from console.distribution.errors import DistributionError
from console.distribution.forms import InviteForm, LicenseForm, ReleaseForm, ShareForm
from console.distribution.models import License, Share
from console.distribution.sharing import license_description
from console.distribution.views.acting_organization import organization_for
from console.inviting import inviting
from console.inviting.client_organizations import clients_of
from console.inviting.inviting import InvitationRefused as NotInvited
from console.inviting.models import Invitation
from console.public_url import public_url


@require_safe
def client_list(request: SignedInRequest) -> HttpResponse:
    """List invitations, clients and the applications shared with each client."""
    return _list(request, InviteForm())


@require_POST
def client_invite(request: SignedInRequest) -> HttpResponse:
    """Invite a person by mail; their organization becomes a client when they accept."""
    organization = organization_for(request, Action.MANAGE_PEOPLE)
    form = InviteForm(request.POST)
    if organization is None:
        messages.warning(
            request, "Choose the organization that sends the invitation, then try again."
        )
    elif not form.is_valid():
        return _list(request, form, status=422)
    else:
        email = form.cleaned_data["email"]
        try:
            inviting.invite(organization, email, "", request.user, on_failure=_unsent(request))
        except NotInvited as error:
            form.add_error("email", str(error))
            return _list(request, form, status=422)
        messages.success(
            request, f"{email.lower()} was invited. The invitation is valid for 15 days."
        )
    return SeeOther(reverse("client_list"))


@require_POST
def client_invitation_resend(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """Send the invitation again, with a new link that is valid for 15 days."""
    invitation = _invitation(request, pk)
    return _invited(
        request,
        partial(inviting.resend, invitation, request.user, on_failure=_unsent(request)),
        f"{invitation} was invited again. The new link is valid for 15 days; the earlier one no "
        "longer works.",
    )


@require_POST
def client_invitation_withdraw(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """Withdraw an invitation, so that it can no longer be accepted."""
    invitation = _invitation(request, pk)
    return _invited(
        request,
        partial(inviting.withdraw, invitation, request.user),
        f"The invitation of {invitation} was withdrawn.",
    )


@require_http_methods(["GET", "HEAD", "POST"])
def share_create(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """Show the form to share an application; a POST shares it with a client."""
    applications = Application.objects.allowing(request.user, Action.MANAGE_CLIENTS)
    application = get_object_or_404(applications.select_related("organization"), pk=pk)
    posted = request.method == "POST"
    form = ShareForm(
        request.POST if posted else None,
        application=application,
        initial={"client": request.GET.get("client", "")[:36]},
    )
    status = 422 if posted else 200
    if posted and form.is_valid():
        chosen = form.cleaned_data
        try:
            share = sharing.share(
                application,
                chosen["client"],
                chosen["release"],
                chosen["license"],
                request.user,
                ends_at=form.ends_at,
            )
        except DistributionError as error:
            form.add_error(None, str(error))
            status = 409
        else:
            messages.success(
                request,
                f"{application} is now shared with {share.client}. Its super admins will receive a "
                "mail with the link to install it.",
            )
            return SeeOther(reverse("share_detail", args=[share.pk]))
    context = {
        "application": application,
        "form": form,
        "has_clients": clients_of(application.organization).exists(),
        "has_releases": application.releases.exists(),
    }
    return render(request, "distribution/share_create.html", context, status=status)


@require_safe
def share_detail(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """Show a share: its release and license, and the forms to change them."""
    return _detail(request, _share(request, pk, Action.DISTRIBUTE))


@require_POST
def share_release(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """Offer a newer release to the client."""
    share = _share(request, pk, Action.DISTRIBUTE)
    form = ReleaseForm(request.POST, share=share)
    if not form.is_valid():
        return _detail(request, share, release_form=form, status=422)
    return _shared(
        request,
        share,
        partial(sharing.send_update, share, form.cleaned_data["release"], request.user),
        f"{form.cleaned_data['release']} was released to {share.client}.",
    )


@require_POST
def share_license(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """Change the license of the client."""
    share = _share(request, pk, Action.MANAGE_CLIENTS)
    form = LicenseForm(request.POST)
    if not form.is_valid():
        return _detail(request, share, license_form=form, status=422)
    license = form.cleaned_data["license"]
    return _shared(
        request,
        share,
        partial(sharing.change_license, share, license, request.user, ends_at=form.ends_at),
        f"The license of {share.client} was changed.",
    )


@require_http_methods(["GET", "HEAD", "POST"])
def share_withdraw(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """Ask for confirmation; a POST withdraws the application from the client."""
    share = _share(request, pk, Action.MANAGE_CLIENTS)
    if request.method == "POST":
        done = f"{share.application} was withdrawn from {share.client}."
        return _shared(request, share, partial(sharing.withdraw, share, request.user), done)
    return render(request, "distribution/share_withdraw.html", {"share": share})


def _list(request: SignedInRequest, form: InviteForm, *, status: int = 200) -> HttpResponse:
    user = request.user
    organization = organization_for(request, Action.DISTRIBUTE)
    manages = user.may(Action.MANAGE_CLIENTS)
    applications = Application.objects.allowing(user, Action.DISTRIBUTE)
    applications = applications.filter(organization=organization)
    shares = Share.objects.filter(application__in=applications).select_related(
        "application", "release", "installation__release"
    )
    by_client: dict[uuid.UUID, list[Share]] = {}
    for share in shares.order_by("application__name"):
        by_client.setdefault(share.client_id, []).append(share)
    may_see = organization is not None and (manages or applications.exists())
    invitations = Invitation.objects.as_client().open().filter(organization=organization)
    context = {
        "form": form,
        "manages": manages,
        "may_see": may_see,
        "invitations": invitations if may_see else [],
        "clients": [
            (client, shares, [a for a in applications if a.pk not in shared])
            for client in (clients_of(organization) if organization and may_see else [])
            for shares in [by_client.get(client.pk, [])]
            for shared in [{share.application_id for share in shares}]
        ],
        "applications": applications.order_by("name"),
    }
    return render(request, "distribution/client_list.html", context, status=status)


def _detail(
    request: SignedInRequest,
    share: Share,
    *,
    release_form: ReleaseForm | None = None,
    license_form: LicenseForm | None = None,
    status: int = 200,
) -> HttpResponse:
    newer = share.application.releases.filter(number__gt=share.release.number).exists()
    is_limited = share.ends_at is not None and share.license == License.SUBSCRIPTION
    known = {"license": share.license, "ends_on": share.ends_at if is_limited else None}
    context: dict[str, Any] = {
        "share": share,
        "license": license_description(share),
        "manages": share.application.allows(request.user, Action.MANAGE_CLIENTS),
        "release_form": (release_form or ReleaseForm(share=share)) if newer else None,
        "license_form": license_form or LicenseForm(initial=known),
        "install_url": public_url("share_install", share.pk),
    }
    return render(request, "distribution/share_detail.html", context, status=status)


def _share(request: SignedInRequest, pk: uuid.UUID, action: Action) -> Share:
    rows = Share.objects.allowing(request.user, action).select_related(
        "application__organization", "client", "release", "installation__release", "created_by"
    )
    return get_object_or_404(rows, pk=pk)


def _invitation(request: SignedInRequest, pk: uuid.UUID) -> Invitation:
    own = Organization.objects.allowing(request.user, Action.MANAGE_PEOPLE)
    rows = Invitation.objects.as_client().filter(organization__in=own)
    return get_object_or_404(rows.select_related("organization"), pk=pk)


def _unsent(request: SignedInRequest) -> Any:
    return partial(messages.warning, request)


def _invited(request: SignedInRequest, verb: Any, done: str) -> HttpResponse:
    try:
        verb()
    except NotInvited as error:
        messages.error(request, str(error))
    else:
        messages.success(request, done)
    return SeeOther(reverse("client_list"))


def _shared(request: SignedInRequest, share: Share, verb: Any, done: str) -> HttpResponse:
    try:
        verb()
    except DistributionError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, done)
    return SeeOther(reverse("share_detail", args=[share.pk]))
