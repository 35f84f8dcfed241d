"""OAuth clients: the list, the choice of a service, and the guided registration."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from connections.models import OAuthClient
from connections.models.oauth_client import FIRST_NAME, redirect_uri
from connections.oauth_clients import registering
from connections.oauth_clients.client_uses import use_counts, waiting_connectors
from connections.oauth_clients.forms import (
    CONTEXT_FIELDS,
    EVERYBODY,
    ClientContextForm,
    OAuthClientForm,
)
from connections.views.oauth_client_detail import show_test
from connectors.definitions.registry import (
    UnknownConnector,
    connector_or_placeholder,
    get_connector,
)
from connectors.definitions.schema import Connector
from connectors.definitions.search import search
from console.accounts.http import SeeOther, SignedInRequest
from console.accounts.policy import Action
from console.pagination import paginate
from console.signing_in.reauthentication import reauthentication_required

PAGE_SIZE = 50
#: Number of services on the first page, as in the gallery of connectors.
FIRST_CARDS = 24


@require_safe
def oauth_client_list(request: SignedInRequest) -> HttpResponse:
    """Show the clients, and the services whose connections wait for one."""
    _check(request)
    rows = OAuthClient.objects.visible_to(request.user).select_related("organization")
    page = paginate(rows, request.GET, by="connector_slug", size=PAGE_SIZE, ascending=True)
    counts = use_counts(page.rows)
    return render(
        request,
        "oauth_clients/oauth_client_list.html",
        {
            "page": page,
            "clients": [
                (client, connector_or_placeholder(client.connector_slug), counts[client.pk])
                for client in page.rows
            ],
            "waiting": waiting_connectors(request.user, request.organization),
            "everybody": EVERYBODY,
        },
    )


@require_safe
def oauth_client_services(request: SignedInRequest) -> HttpResponse:
    """Show the services that need a client; the search is in the query string."""
    _check(request)
    words = request.GET.get("q", "")[:100]
    found = [connector for connector in search(words) if connector.oauth2]
    is_all = bool(words or request.GET.get("all"))
    shown = found if is_all else found[:FIRST_CARDS]
    template = "oauth_clients/oauth_client_services.html"
    if request.htmx and request.htmx.target == "cards":
        template += "#cards"
    return render(
        request,
        template,
        {"connectors": shown, "found": len(found), "words": words},
    )


@reauthentication_required
@require_http_methods(["GET", "HEAD", "POST"])
def oauth_client_create(request: SignedInRequest, slug: str) -> HttpResponseBase:
    """Show the steps of a registration at a service; a POST saves the client."""
    _check(request)
    try:
        connector = get_connector(slug)
    except UnknownConnector as error:
        raise Http404(str(error)) from error
    if connector.oauth2 is None:
        raise Http404(f"{connector.name} needs no OAuth client.")
    source = request.POST if request.method == "POST" else request.GET
    is_chosen = request.method == "POST" or any(name in request.GET for name in CONTEXT_FIELDS)
    context = ClientContextForm(source, connector=connector, user=request.user)
    if not is_chosen and context.needs_choice:
        empty = ClientContextForm(connector=connector, user=request.user)
        return _context_page(request, connector, empty)
    if not context.is_valid() or request.GET.get("choose"):
        return _context_page(request, connector, context)
    taken = OAuthClient.objects.filter(reference=context.reference)
    if request.method != "POST":
        form = OAuthClientForm(initial={"name": "" if taken.exists() else FIRST_NAME})
        return _steps_page(request, connector, context, form)
    chosen = context.cleaned_data
    fixed = {
        "connector_slug": slug,
        "organization": chosen["organization"] and str(chosen["organization"].pk),
        "environment": chosen["environment"],
        "host": chosen["host"],
    }
    form = OAuthClientForm({**request.POST.dict(), **fixed})
    if form.is_valid():
        try:
            client = registering.register(form, request.user)
        except IntegrityError:
            form.add_error("name", "Another client just took this name. Choose another one.")
        else:
            messages.success(request, f"The OAuth client {client.name} was saved.")
            if "test" in request.POST:
                show_test(request, client)
            return SeeOther(reverse("oauth_client_detail", args=[client.pk]))
    return _steps_page(request, connector, context, form)


def _check(request: SignedInRequest) -> None:
    if not (request.user.is_superuser or request.user.may(Action.MANAGE_OAUTH_CLIENTS)):
        raise PermissionDenied


def _context_page(
    request: SignedInRequest, connector: Connector, form: ClientContextForm
) -> HttpResponse:
    is_wrong = form.is_bound and not form.is_valid()
    return render(
        request,
        "oauth_clients/oauth_client_context.html",
        {"connector": connector, "form": form},
        status=422 if is_wrong else 200,
    )


def _steps_page(
    request: SignedInRequest,
    connector: Connector,
    context: ClientContextForm,
    form: OAuthClientForm,
) -> HttpResponse:
    chosen = context.cleaned_data
    same = OAuthClient.objects.filter(reference=context.reference)
    return render(
        request,
        "oauth_clients/oauth_client_create.html",
        {
            "connector": connector,
            "form": form,
            "organization": chosen["organization"],
            "environment": chosen["environment"],
            "environment_label": dict(context.fields["environment"].choices)[  # type: ignore[attr-defined]
                chosen["environment"]
            ],
            "host": chosen["host"],
            "everybody": EVERYBODY,
            "redirect_uri": redirect_uri(context.reference),
            "clients": same.order_by("-is_default", "name"),
        },
        status=422 if form.is_bound else 200,
    )
