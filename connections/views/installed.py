"""Connections of installed applications: show, test, rename the account, revoke.

A client organization cannot edit them. People see their own authorization, or the one that an
administrator gave for everybody.
"""

from __future__ import annotations

import uuid

from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from connections.authorizations.forms import label_seen
from connections.models import Authorization, InstalledConnection
from connections.models.authorization_site import AuthorizationSite
from connections.models.installed_connection import InstalledConnectionQuerySet
from connections.views import authorizations
from connectors.definitions.registry import get_connectors
from console.accounts.http import SignedInRequest
from console.accounts.policy import Action


@require_safe
def installed_connection(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """Show the connection: its authorization and the permissions that it requests."""
    row = get_object_or_404(_rows(request), pk=pk)
    site = AuthorizationSite.of_installed(row)
    connector = site.connector
    actions = connector.oauth2.actions if connector.oauth2 else {}
    authorization = _authorizations(request, site).first()
    credential = authorization.credential if authorization else None
    # The parameters of the account are known only after authorization.
    parameters = credential.parameters if credential else {}
    return render(
        request,
        "connections/installed_connection.html",
        {
            "row": row,
            "site": site,
            "connector": connector,
            "is_in_catalogue": site.snapshot.connector in get_connectors(),
            "application": row.connection.application,
            "authorization": authorization,
            "disablement": row.connection.disablement,
            "label_seen": label_seen(authorization),
            "may_see_calls": request.user.may(Action.AUTHORIZE_INSTALLED, row.organization),
            "permissions": [(scope, actions.get(scope)) for scope in site.snapshot.scopes_asked],
            "parameters": [
                (p.label, p.choices.get(value, value))
                for p in connector.parameters
                if (value := parameters.get(p.name))
            ],
        },
    )


@require_POST
def installed_test(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """Test the authorization with the connector's check call and report the result."""
    site = AuthorizationSite.of_installed(get_object_or_404(_rows(request).live(), pk=pk))
    authorization = get_object_or_404(
        _authorizations(request, site).filter(credential__isnull=False)
    )
    return authorizations.test(request, authorization, site)


@require_POST
def installed_label(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """Change the label of the account in this console."""
    site = AuthorizationSite.of_installed(get_object_or_404(_rows(request), pk=pk))
    authorization = get_object_or_404(
        _authorizations(request, site).filter(credential__isnull=False)
    )
    return authorizations.label(request, authorization, site)


@require_http_methods(["GET", "HEAD", "POST"])
def installed_revoke(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """Show what stops working; a POST revokes the authorization here and at the service."""
    site = AuthorizationSite.of_installed(get_object_or_404(_rows(request), pk=pk))
    authorization = get_object_or_404(_authorizations(request, site))
    return authorizations.revoke(request, authorization, site)


def _rows(request: SignedInRequest) -> InstalledConnectionQuerySet:
    return InstalledConnection.objects.visible_to(request.user).select_related(
        "connection__application", "organization"
    )


def _authorizations(request: SignedInRequest, site: AuthorizationSite) -> QuerySet[Authorization]:
    return site.authorizations(request.user).select_related(
        "connection", "organization", "credential__client", "authorized_by"
    )
