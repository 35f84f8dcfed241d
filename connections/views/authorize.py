"""Authorize a connection: enter credentials here, or give consent on the service's own page."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlencode

from csp.decorators import csp_update
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from connections.authorizations import authorizing, granting, replacing
from connections.authorizations.forms import AuthorizeForm
from connections.models import Authorization, Connection, Flow, InstalledConnection
from connections.models.authorization_site import AuthorizationSite
from connections.models.oauth_client import client_reference, host_of, redirect_uri
from connections.views.flow_status import flow_context, flows_of
from connections.views.return_url import return_url
from connectors.api.auth_strategies import AUTH_TYPES
from connectors.definitions.registry import get_connectors
from connectors.errors import ServiceError
from console.accounts.http import SeeOther, SignedInRequest
from console.accounts.policy import Action
from console.optimistic_lock import FieldConflict
from console.signing_in.reauthentication import reauthentication_required

#: The policy of a page that opens a popup, and sees whether it is still open. With ``same-origin``
#: it would count as closed as soon as it shows the page of a service. The service cannot reach the
#: page, because the popup has no ``opener`` (``connections.js``).
POPUP_OPENER_POLICY = "same-origin-allow-popups"

ViewFunction = Callable[..., Any]

#: Session key of the random token that binds OAuth flows to the browser session.
BROWSER_SESSION_KEY = "oauth_browser"
#: The form redirects to a service, and browsers check every redirect against form-action.
allow_redirect_to_services: Callable[[ViewFunction], ViewFunction] = csp_update(
    {"form-action": ["https:", "http://localhost:*", "http://127.0.0.1:*"]}
)


@never_cache
@allow_redirect_to_services
@require_http_methods(["GET", "HEAD", "POST"])
def connection_authorize(request: SignedInRequest, pk: uuid.UUID) -> HttpResponseBase:
    """Show the form for developers; a POST authorizes, or redirects to the service."""
    return _authorize(
        request, AuthorizationSite.of_connection(get_object_or_404(_created(request), pk=pk))
    )


@allow_redirect_to_services
@require_POST
def connection_reuse(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """Authorize with an account that another connection already uses."""
    return _reuse(
        request, AuthorizationSite.of_connection(get_object_or_404(_created(request), pk=pk))
    )


@never_cache
@allow_redirect_to_services
@require_http_methods(["GET", "HEAD", "POST"])
def installed_authorize(request: SignedInRequest, pk: uuid.UUID) -> HttpResponseBase:
    """Show the form for client organizations, which authorize Production only."""
    return _authorize(
        request, AuthorizationSite.of_installed(get_object_or_404(_installed(request), pk=pk))
    )


@allow_redirect_to_services
@require_POST
def installed_reuse(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """Authorize with an account that another installed application already uses."""
    return _reuse(
        request, AuthorizationSite.of_installed(get_object_or_404(_installed(request), pk=pk))
    )


def _authorize(request: SignedInRequest, site: AuthorizationSite) -> HttpResponseBase:
    if request.method != "POST":
        flow = _flow_in_query(request, site)
        chosen = flow.environments if flow else _first_missing(request, site)
        form = AuthorizeForm(site=_with_last_host(request, site), initial={"environments": chosen})
        return _page(request, site, form, flow=flow)
    form = AuthorizeForm(request.POST, site=site)
    if not form.is_valid():
        return _page(request, site, form)
    if conflicts := _conflicts(
        request, site, form.environments, yours="the account you are authorizing"
    ):
        return _page(request, site, form, conflicts=conflicts)
    if AUTH_TYPES[site.snapshot.auth_type].redirects:
        return _redirect_to_service(request, site, form)
    if _replaces_secret(request, site, form):
        return reauthentication_required(_save)(request, site, form)
    return _save(request, site, form)


def _current(request: SignedInRequest, site: AuthorizationSite) -> dict[str, Authorization]:
    """Return the site's authorizations, each by the key that the form's field ``seen`` contains."""
    authorized = site.authorizations(request.user).filter(credential__isnull=False)
    rows = authorized.select_related("credential").defer(
        "credential__secret", "credential__journal"
    )
    return {f"{row.environment}:{row.credential_id}": row for row in rows}


def _conflicts(
    request: SignedInRequest, site: AuthorizationSite, environments: Sequence[str], *, yours: str
) -> list[FieldConflict]:
    """Return the accounts that would be replaced although the page did not show them."""
    shown = request.POST.get("seen")
    if shown is None:
        return []
    return [
        FieldConflict(label=row.get_environment_display(), saved=row.credential.label, yours=yours)
        for key, row in _current(request, site).items()
        if row.credential and row.environment in environments and key not in shown.split()
    ]


def _replaces_secret(
    request: SignedInRequest, site: AuthorizationSite, form: AuthorizeForm
) -> bool:
    """Return whether saving the form replaces a stored secret."""
    existing = site.authorizations(request.user).filter(
        environment__in=form.environments, credential__isnull=False
    )
    return existing.exists()


def _save(request: SignedInRequest, site: AuthorizationSite, form: AuthorizeForm) -> HttpResponse:
    try:
        grant = granting.check_typed_credential(form.site, form.secret)
        known = form.site, request.user, form.environments, grant
        if others := replacing.replaced_accounts(*known):
            pending = replacing.ask_first(*known, others)
            return SeeOther(reverse("account_replace", args=[pending.pk]))
        credential, others = granting.store_grant(*known)
    except ServiceError as error:
        form.add_error(None, f"{error} Nothing was changed. Correct the values or try again.")
        return _page(request, site, form)
    replaced = f" It replaces {' and '.join(others)}." if others else ""
    messages.success(request, f"{site} is authorized as {credential.label}.{replaced}")
    return SeeOther(return_url(request) or site.url)


def _reuse(request: SignedInRequest, site: AuthorizationSite) -> HttpResponse:
    chosen = request.POST.get("credential")
    candidates = granting.reusable_credentials(site, request.user)
    credential = next((c for c in candidates if str(c.pk) == chosen), None)
    posted = request.POST.getlist("environments")
    environments = [e for e in site.environments if e in posted] or _first_missing(request, site)
    if credential is None:
        messages.error(request, "That account can no longer be used. Choose another one.")
        return SeeOther(site.authorize_url)
    if conflicts := _conflicts(request, site, environments, yours=credential.label):
        initial = {"environments": environments}
        form = AuthorizeForm(site=_with_last_host(request, site), initial=initial)
        return _page(request, site, form, conflicts=conflicts)
    try:
        granting.reuse(site, request.user, environments, credential)
    except ServiceError as error:
        messages.error(request, f"{error} Nothing was changed.")
        return SeeOther(site.url)
    messages.success(request, f"{site} is authorized as {credential.label}.")
    return SeeOther(return_url(request) or site.url)


def _redirect_to_service(
    request: SignedInRequest, site: AuthorizationSite, form: AuthorizeForm
) -> HttpResponse:
    browser = request.session.setdefault(BROWSER_SESSION_KEY, secrets.token_urlsafe(32))
    try:
        url = authorizing.begin(
            form.site,
            request.user,
            form.environments,
            browser=browser,
            flow_id=form.cleaned_data["flow"],
            return_url=return_url(request),
        )
    except authorizing.NoOAuthClient:
        return _page(request, form.site, form, unregistered=True)
    except ServiceError as error:
        form.add_error(None, str(error))
        return _page(request, site, form)
    response = SeeOther(url)
    response["Cross-Origin-Opener-Policy"] = POPUP_OPENER_POLICY
    return response


def _page(
    request: SignedInRequest,
    site: AuthorizationSite,
    form: AuthorizeForm,
    *,
    unregistered: bool = False,
    conflicts: Sequence[FieldConflict] = (),
    flow: Flow | None = None,
) -> HttpResponse:
    connector = site.connector
    redirects = AUTH_TYPES[site.snapshot.auth_type].redirects
    # A client with a host of its own enters the host first.
    asks_host = connector.own_host and not site.is_home
    registered = not unregistered and (
        not redirects or asks_host or site.oauth_client(site.environments[0]) is not None
    )
    host = host_of(site.snapshot)
    reference = client_reference(connector.slug, site.organization, host=host)
    actions = connector.oauth2.actions if connector.oauth2 else {}
    response = render(
        request,
        "connections/connection_authorize.html",
        {
            **(flow_context(flow, request) if flow else {}),
            "site": site,
            "connection": site.connection,
            "connector": connector,
            "form": form,
            "redirects": redirects,
            # A page that was reloaded, or has errors, keeps the flow of its popup.
            "flow_id": (flow and flow.pk)
            or (form.is_bound and form.cleaned_data.get("flow"))
            or uuid.uuid4(),
            "permissions": [
                (scope, actions.get(scope)) for scope in site.scopes_to_ask(site.environments)
            ],
            "seen": " ".join(_current(request, site)),
            "differences": conflicts,
            "registered": registered,
            "redirect_uri": "" if registered else redirect_uri(reference),
            "host": host,
            "may_register": not registered
            and request.user.may(Action.MANAGE_OAUTH_CLIENTS, site.organization),
            "register_url": _register_url(site),
            "reusable": granting.reusable_credentials(site, request.user),
            "first_missing": form.initial.get("environments", []),
            "return_url": (flow and flow.return_url) or return_url(request),
        },
        status=409 if conflicts else 422 if form.is_bound else 200,
    )
    if redirects and registered:
        response["Cross-Origin-Opener-Policy"] = POPUP_OPENER_POLICY
    return response


def _flow_in_query(request: SignedInRequest, site: AuthorizationSite) -> Flow | None:
    """Return the flow that this page began before it was reloaded."""
    try:
        key = uuid.UUID(request.GET.get("flow", ""))
    except ValueError:
        return None
    flows = flows_of(request).filter(connection=site.connection, organization=site.organization)
    return flows.filter(pk=key).first()


def _register_url(site: AuthorizationSite) -> str:
    """Return the URL of the page that registers an OAuth client for this site."""
    context = {"organization": site.organization.pk, "host": host_of(site.snapshot)}
    return f"{reverse('oauth_client_create', args=[site.connector.slug])}?{urlencode(context)}"


def _created(request: SignedInRequest) -> QuerySet[Connection]:
    return (
        Connection.objects.visible_to(request.user)
        .created()
        .filter(connector_slug__in=get_connectors())
        .select_related("application__organization")
    )


def _installed(request: SignedInRequest) -> QuerySet[InstalledConnection]:
    return (
        InstalledConnection.objects.live()
        .visible_to(request.user)
        .filter(document__connector__in=list(get_connectors()))
        .select_related("connection__application", "organization")
    )


def _with_last_host(request: SignedInRequest, site: AuthorizationSite) -> AuthorizationSite:
    """Prefill a client's form with the parameters of its last authorization.

    Without one, the host stays empty: it would be the developers' own host, and a client must not
    send its password there by mistake.
    """
    if site.is_home:
        return site
    last = site.authorizations(request.user).select_related("credential").first()
    parameters = {p.name: "" for p in site.connector.parameters if p.is_host}
    if last and last.credential:
        parameters = last.credential.parameters
    return site.with_parameters({**site.snapshot.parameters, **parameters})


def _first_missing(request: SignedInRequest, site: AuthorizationSite) -> list[str]:
    """Preselect the environments in the query string, or the first without authorization."""
    named = request.GET.getlist("environment")
    if chosen := [e.value for e in site.environments if e in named]:
        return chosen
    active = site.authorizations(request.user).filter(state=Authorization.State.ACTIVE)
    done = set(active.values_list("environment", flat=True))
    missing = [e.value for e in site.environments if e not in done]
    return missing[:1] or [site.environments[0].value]
