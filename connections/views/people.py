"""Everyone's authorizations of a Logged-in User connection, with revoke for super admins."""

from __future__ import annotations

import uuid

from django.db.models import Q, QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_http_methods, require_safe

from connections.models import Authorization, Connection, InstalledConnection
from connections.models.authorization_site import AuthorizationSite
from connections.views import authorizations
from console.accounts.http import SignedInRequest
from console.accounts.models import Organization
from console.accounts.policy import Action
from console.choices import Environment
from console.pagination import paginate

PAGE_SIZE = 20


def people_of(site: AuthorizationSite) -> QuerySet[Authorization]:
    """Return everyone's own authorizations at a site that hold an account."""
    return Authorization.objects.filter(
        connection=site.connection,
        organization=site.organization,
        environment__in=site.environments,
        user__isnull=False,
        credential__isnull=False,
    )


@require_safe
def connection_people(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """List who has authorized a connection in Development and Stage."""
    rows = Connection.objects.visible_to(request.user).created()
    connection = get_object_or_404(rows.select_related("application__organization"), pk=pk)
    return _people(request, AuthorizationSite.of_connection(connection))


@require_safe
def installed_people(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """List who has authorized an installed connection."""
    clients = Organization.objects.allowing(request.user, Action.AUTHORIZE_INSTALLED)
    rows = InstalledConnection.objects.filter(organization__in=clients)
    row = get_object_or_404(rows.select_related("connection__application", "organization"), pk=pk)
    return _people(request, AuthorizationSite.of_installed(row))


@require_http_methods(["GET", "HEAD", "POST"])
def authorization_revoke_for(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """Show whose authorization ends; a POST revokes it."""
    managed = Organization.objects.allowing(request.user, Action.MANAGE_PEOPLE)
    rows = Authorization.objects.filter(organization__in=managed, user__isnull=False)
    authorization = get_object_or_404(
        rows.select_related(
            "connection__application__organization", "organization", "credential__client", "user"
        ),
        pk=pk,
    )
    site = _site_of(authorization)
    return authorizations.revoke(request, authorization, site, person=authorization.user)


def _site_of(authorization: Authorization) -> AuthorizationSite:
    if authorization.environment != Environment.PRODUCTION:
        return AuthorizationSite.of_connection(authorization.connection)
    row = InstalledConnection.objects.filter(
        connection=authorization.connection_id, organization=authorization.organization_id
    ).select_related("connection__application", "organization")
    if found := row.first():
        return AuthorizationSite.of_installed(found)
    raise Http404


def _people(request: SignedInRequest, site: AuthorizationSite) -> HttpResponse:
    if not site.is_personal:
        raise Http404
    words = request.GET.get("q", "").replace("\0", "").strip()[:100]
    rows = people_of(site)
    if words:
        rows = rows.filter(Q(user__email__icontains=words) | Q(credential__label__icontains=words))
    rows = rows.select_related("user", "credential", "connection", "organization").defer(
        "credential__secret", "credential__journal"
    )
    return render(
        request,
        "connections/connection_people.html",
        {
            "site": site,
            "connector": site.connector,
            "words": words,
            "page": paginate(rows, request.GET, by="authorized_at", size=PAGE_SIZE),
            "may_revoke": request.user.may(Action.MANAGE_PEOPLE, site.organization),
        },
    )
