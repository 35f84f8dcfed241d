"""What can be done with one authorization: test it, name its account, revoke it."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.db.models import Exists, OuterRef, Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_http_methods, require_POST

from connections.authorizations import labeling, revoking
from connections.authorizations.forms import LabelForm
from connections.credentials.testing import check_authorization
from connections.models import Authorization, Connection, Credential
from connections.models.authorization_site import AuthorizationSite
from connectors.definitions.registry import get_connectors
from connectors.errors import CredentialRefused, ServiceError
from console.accounts.http import SeeOther, SignedInRequest
from console.choices import Environment
from console.optimistic_lock import EditConflict, fingerprint


@require_POST
def authorization_test(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """Run the connector's check call and say what came of it."""
    testable = _authorizations(request).filter(connection__connector_slug__in=get_connectors())
    authorization = get_object_or_404(testable, pk=pk)
    return test(request, authorization, AuthorizationSite.of_connection(authorization.connection))


@require_POST
def authorization_label(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """Call the account by another name here."""
    authorization = get_object_or_404(
        _authorizations(request).filter(credential__isnull=False), pk=pk
    )
    return label(request, authorization, AuthorizationSite.of_connection(authorization.connection))


@require_http_methods(["GET", "HEAD", "POST"])
def authorization_revoke(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """Say what stops working; a POST ends the authorization here and at the service."""
    authorization = get_object_or_404(_authorizations(request), pk=pk)
    return revoke(request, authorization, AuthorizationSite.of_connection(authorization.connection))


def test(
    request: SignedInRequest, authorization: Authorization, site: AuthorizationSite
) -> HttpResponse:
    """Call the service as an authorization does, wherever it stands, and say what came of it."""
    try:
        account = check_authorization(authorization)
    except CredentialRefused as error:
        messages.error(request, f"{error} Reauthorize the connection.")
    except ServiceError as error:
        messages.error(request, f"{error} Nothing was changed. Try again in a minute.")
    else:
        who = account.label or authorization.credential.label
        messages.success(request, f"It works: {site.connector.name} answered as {who}.")
    return SeeOther(site.url)


def label(
    request: SignedInRequest, authorization: Authorization, site: AuthorizationSite
) -> HttpResponse:
    """Take another name for an account, wherever its authorization stands."""
    form = LabelForm(request.POST, instance=authorization.credential)
    if form.is_valid():
        try:
            labeling.label(authorization, form, request.user, site.action)
        except EditConflict as changed:
            return _label_changed(request, site, form, changed)
        messages.success(request, f"The account is named {authorization.credential} now.")
    else:
        messages.error(request, " ".join(str(error) for error in form.errors["label"]))
    return SeeOther(site.url)


def _label_changed(
    request: SignedInRequest, site: AuthorizationSite, form: LabelForm, changed: EditConflict
) -> HttpResponse:
    kept = Credential.objects.defer("secret", "journal").get(pk=form.instance.pk)
    return render(
        request,
        "connections/label_changed.html",
        {
            "site": site,
            "connection": site.connection,
            "form": form,
            "seen": fingerprint(form.described(kept)),
            "differences": changed.differences,
        },
        status=409,
    )


def revoke(
    request: SignedInRequest, authorization: Authorization, site: AuthorizationSite
) -> HttpResponse:
    """Ask before an authorization is ended, wherever it stands, and end it."""
    if request.method == "POST":
        became = revoking.revoke(authorization, request.user)
        messages.success(request, f"{site} is not authorized any more. {became}")
        return SeeOther(site.url)
    return render(
        request,
        "connections/authorization_revoke.html",
        {
            "authorization": authorization,
            "site": site,
            "connector": site.connector,
            "promise": revoking.preview_revocation(authorization),
        },
    )


def _authorizations(request: SignedInRequest):
    """Return what developers gave to the person's connections: the shared ones and his own."""
    return (
        Authorization.objects.filter(
            Q(user=None) | Q(user=request.user),
            Exists(Connection.objects.visible_to(request.user).filter(pk=OuterRef("connection"))),
        )
        .exclude(environment=Environment.PRODUCTION)
        .select_related("connection__application__organization", "credential__client")
    )
