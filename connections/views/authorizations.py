"""Test an authorization, rename its account, or revoke it."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_http_methods, require_POST

from connections.authorizations import labeling, revoking
from connections.authorizations.forms import LabelForm
from connections.credentials.testing import ConnectionIsDisabled, check_authorization
from connections.models import Authorization, Connection, Credential
from connections.models.authorization_site import AuthorizationSite
from connectors.definitions.registry import get_connectors
from connectors.errors import CredentialRefused, ServiceError
from console.accounts.http import SeeOther, SignedInRequest
from console.accounts.models import User
from console.accounts.policy import Action
from console.choices import Environment
from console.optimistic_lock import EditConflict, fingerprint


@require_POST
def authorization_test(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """Test the authorization with the connector's check call and report the result."""
    testable = _authorizations(request).filter(connection__connector_slug__in=get_connectors())
    authorization = get_object_or_404(testable, pk=pk)
    return test(request, authorization, AuthorizationSite.of_connection(authorization.connection))


@require_POST
def authorization_label(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """Change the label of the account in this console."""
    authorization = get_object_or_404(
        _authorizations(request).filter(credential__isnull=False), pk=pk
    )
    return label(request, authorization, AuthorizationSite.of_connection(authorization.connection))


@require_http_methods(["GET", "HEAD", "POST"])
def authorization_revoke(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """Show what stops working; a POST revokes the authorization here and at the service."""
    authorization = get_object_or_404(_authorizations(request), pk=pk)
    return revoke(request, authorization, AuthorizationSite.of_connection(authorization.connection))


def test(
    request: SignedInRequest, authorization: Authorization, site: AuthorizationSite
) -> HttpResponse:
    """Make a check call with an authorization of any site and report the result."""
    try:
        account = check_authorization(authorization)
    except ConnectionIsDisabled as error:
        messages.error(request, str(error))
    except CredentialRefused as error:
        messages.error(request, f"{error} Reauthorize the connection.")
    except ServiceError as error:
        messages.error(request, f"{error} Nothing was changed. Try again in a minute.")
    else:
        credential = authorization.credential
        name = account.label or (credential.label if credential else "")
        messages.success(request, f"It works: {site.connector.name} answered as {name}.")
    return SeeOther(site.url)


def label(
    request: SignedInRequest, authorization: Authorization, site: AuthorizationSite
) -> HttpResponse:
    """Change the label of the account of an authorization of any site."""
    form = LabelForm(request.POST, instance=authorization.credential)
    if form.is_valid():
        try:
            labeling.label(authorization, form, request.user, site.action)
        except EditConflict as changed:
            return _label_changed(request, site, form, changed)
        messages.success(request, f"The account is now named {authorization.credential}.")
    else:
        messages.error(request, " ".join(str(error) for error in form.errors["label"]))
    return SeeOther(site.url)


def _label_changed(
    request: SignedInRequest, site: AuthorizationSite, form: LabelForm, changed: EditConflict
) -> HttpResponse:
    saved = Credential.objects.defer("secret", "journal").get(pk=form.instance.pk)
    return render(
        request,
        "connections/label_changed.html",
        {
            "site": site,
            "connection": site.connection,
            "form": form,
            "seen": fingerprint(form.display_values(saved)),
            "differences": changed.differences,
        },
        status=409,
    )


def revoke(
    request: SignedInRequest,
    authorization: Authorization,
    site: AuthorizationSite,
    *,
    person: User | None = None,
) -> HttpResponse:
    """Confirm and revoke an authorization of any site; ``person`` owns it if not oneself."""
    back_url = site.people_url if person else site.url
    if request.method == "POST":
        action = Action.MANAGE_PEOPLE if person else None
        result = revoking.revoke(authorization, request.user, action=action)
        whose = f" for {person}" if person else ""
        messages.success(request, f"{site} is no longer authorized{whose}. {result}")
        return SeeOther(back_url)
    return render(
        request,
        "connections/authorization_revoke.html",
        {
            "authorization": authorization,
            "site": site,
            "connector": site.connector,
            "person": person,
            "back_url": back_url,
            "promise": revoking.preview_revocation(authorization),
        },
    )


def _authorizations(request: SignedInRequest) -> QuerySet[Authorization]:
    """Return the developers' authorizations of visible connections: shared and personal ones."""
    return (
        Authorization.objects.filter(
            Q(user=None) | Q(user=request.user),
            Exists(Connection.objects.visible_to(request.user).filter(pk=OuterRef("connection"))),
        )
        .exclude(environment=Environment.PRODUCTION)
        .select_related("connection__application__organization", "credential__client")
    )
