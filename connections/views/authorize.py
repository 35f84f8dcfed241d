"""Authorize a connection: credentials typed here, or consent on the service's own page."""

from __future__ import annotations

import secrets
import uuid
from urllib.parse import urlencode

from csp.decorators import csp_update
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from connections import authorizing, granting
from connections.authorization_forms import AuthorizeForm
from connections.models import Authorization, Connection, Flow, OAuthClient
from connections.models.oauth_client import client_reference, host_of, redirect_uri
from connectors.auth import AUTH_TYPES
from connectors.errors import ServiceError
from connectors.registry import get_connectors
from console.accounts.models import Organization
from console.accounts.policy import Action
from console.http import SeeOther, SignedInRequest

#: The random token that binds flows to a browser session.
BROWSER = "oauth_browser"
#: A posted form that is redirected to a service is checked against form-action, each hop.
TO_SERVICES = csp_update({"form-action": ["https:", "http://localhost:*", "http://127.0.0.1:*"]})


@never_cache
@TO_SERVICES  # type: ignore[arg-type]
@require_http_methods(["GET", "HEAD", "POST"])
def connection_authorize(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """Ask for what the service wants; a POST authorizes, or leads to the service."""
    connection = get_object_or_404(_created(request), pk=pk)
    if request.method != "POST":
        initial = {"environments": _first_missing(request, connection)}
        return _page(request, connection, AuthorizeForm(connection=connection, initial=initial))
    form = AuthorizeForm(request.POST, connection=connection)
    if not form.is_valid():
        return _page(request, connection, form)
    if AUTH_TYPES[connection.auth_type].redirects:  # type: ignore[index]
        return _to_service(request, connection, form)
    try:
        credential, others = granting.with_credentials(
            connection, request.user, form.environments, form.secret
        )
    except ServiceError as error:
        form.add_error(None, f"{error} Nothing was changed. Correct it, or try again.")
        return _page(request, connection, form)
    instead = f" It replaces {' and '.join(others)}." if others else ""
    messages.success(request, f"{connection} is authorized as {credential.label}.{instead}")
    return SeeOther(connection.get_absolute_url())


@require_POST
def connection_reuse(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """Authorize with an account that another connection uses already."""
    connection = get_object_or_404(_created(request), pk=pk)
    chosen = request.POST.get("credential")
    credential = next(
        (c for c in granting.reusable(connection, request.user) if str(c.pk) == chosen), None
    )
    environments = [
        e for e in connection.environments if e in request.POST.getlist("environments")
    ] or _first_missing(request, connection)
    if credential is None:
        messages.error(request, "That account cannot be used any more. Choose another one.")
        return SeeOther(reverse("connection_authorize", args=[connection.pk]))
    granting.reuse(connection, request.user, environments, credential)
    messages.success(request, f"{connection} is authorized as {credential.label}.")
    return SeeOther(connection.get_absolute_url())


# A redirect to sign-in would carry the code in its address; the view itself asks who it is.
@login_not_required
@never_cache
@require_safe
def oauth_callback(request: SignedInRequest, reference: str) -> HttpResponse:
    """Take the service's answer, finish the flow, and go to a clean address."""
    query = {name: request.GET.get(name, "") for name in request.GET}
    try:
        if not request.user.is_authenticated:
            raise authorizing.CallbackRefused(
                "You are not signed in any more, so this authorization cannot be finished. "
                "Nothing was changed. Sign in and press Authorize again.",
                status=403,
            )
        flow = authorizing.complete(
            query,
            reference=reference,
            user=request.user,
            browser=request.session.get(BROWSER, ""),
        )
    except authorizing.CallbackRefused as refused:
        response = render(
            request,
            "connections/callback_refused.html",
            {"sentence": str(refused)},
            status=refused.status,
        )
    else:
        response = SeeOther(flow.get_absolute_url())
    response["Referrer-Policy"] = "no-referrer"
    return response


@never_cache
@require_safe
def flow_detail(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """Show what came of a flow; in the popup the page closes itself on success."""
    flow = get_object_or_404(_flows(request), pk=pk)
    return render(request, "connections/flow_detail.html", _outcome(flow))


@never_cache
@require_safe
def flow_status(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """Tell the page that opened the popup how far the flow is; it asks every second."""
    flow = _flows(request).filter(pk=pk).first()
    return render(
        request, "connections/flow_detail.html#status", _outcome(flow) if flow else {"pk": pk}
    )


def _to_service(
    request: SignedInRequest, connection: Connection, form: AuthorizeForm
) -> HttpResponse:
    browser = request.session.setdefault(BROWSER, secrets.token_urlsafe(32))
    try:
        url = authorizing.begin(
            connection,
            request.user,
            form.environments,
            browser=browser,
            flow_id=form.cleaned_data["flow"],
        )
    except authorizing.NoOAuthClient:
        form.add_error(None, f"This console is not registered with {connection.connector.name}.")
        return _page(request, connection, form)
    except ServiceError as error:
        form.add_error(None, str(error))
        return _page(request, connection, form)
    return SeeOther(url)


def _page(request: SignedInRequest, connection: Connection, form: AuthorizeForm) -> HttpResponse:
    connector = connection.connector
    redirects = AUTH_TYPES[connection.auth_type].redirects  # type: ignore[index]
    organization = connection.application.organization
    registered = (
        not redirects
        or OAuthClient.objects.serving(connection, connection.environments[0]).exists()
    )
    return render(
        request,
        "connections/connection_authorize.html",
        {
            "connection": connection,
            "connector": connector,
            "form": form,
            "redirects": redirects,
            "flow_id": uuid.uuid4(),
            "registered": registered,
            "redirect_uri": ""
            if registered
            else redirect_uri(
                client_reference(connector.slug, organization, host=host_of(connection))
            ),
            "may_register": not registered and request.user.may(Action.MANAGE_OAUTH_CLIENTS),
            "register_url": _register_url(connection),
            "reusable": granting.reusable(connection, request.user),
            "first_missing": form.initial.get("environments", []),
        },
        status=422 if form.is_bound else 200,
    )


def _register_url(connection: Connection) -> str:
    """Return the page of Django admin on which this connector's client is registered."""
    initial = {
        "connector_slug": connection.connector_slug,
        "organization": connection.application.organization_id,
        "host": host_of(connection),
    }
    return f"{reverse('admin:connections_oauthclient_add')}?{urlencode(initial)}"


def _outcome(flow: Flow) -> dict:
    context = {"flow": flow, "pk": flow.pk, "connection": flow.connection}
    context["connector"] = flow.connection.connector
    context["ended"] = flow.is_waiting and flow.is_expired
    if flow.outcome == Flow.Outcome.COMPLETED:
        context["authorization"] = (
            Authorization.objects.of(flow.connection, flow.user)
            .filter(environment__in=flow.environments)
            .select_related("credential")
            .first()
        )
    return context


def _created(request: SignedInRequest):
    return (
        Connection.objects.visible_to(request.user)
        .created()
        .filter(connector_slug__in=get_connectors())
        .select_related("application__organization")
    )


def _flows(request: SignedInRequest):
    return Flow.objects.filter(
        user=request.user, organization__in=Organization.objects.of(request.user)
    ).select_related("connection__application", "user")


def _authorizations(request: SignedInRequest, connection: Connection) -> list[Authorization]:
    return list(
        Authorization.objects.of(connection, request.user).select_related(
            "credential", "connection"
        )
    )


def _first_missing(request: SignedInRequest, connection: Connection) -> list[str]:
    """Propose the environment that the address names, else the first without authorization."""
    if request.GET.get("environment") in connection.environments:
        return [request.GET["environment"]]
    done = {
        a.environment
        for a in _authorizations(request, connection)
        if a.state == Authorization.State.ACTIVE
    }
    missing = [e.value for e in connection.environments if e not in done]
    return missing[:1] or [connection.environments[0].value]
