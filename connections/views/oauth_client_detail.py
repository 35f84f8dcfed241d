"""One OAuth client: change it, test it, make it the default, move its connections, delete it."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.db import IntegrityError
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from connections.models import Connection, OAuthClient
from connections.models.authorization_site import AuthorizationSite
from connections.oauth_clients import choosing, registering
from connections.oauth_clients.client_uses import client_uses, connections_using
from connections.oauth_clients.forms import EVERYBODY, ChosenClientForm, OAuthClientForm
from connections.oauth_clients.stored_client_check import check_stored_client
from connectors.definitions.auth_type import AuthType
from connectors.definitions.registry import connector_or_placeholder, get_connectors
from connectors.oauth2.client_check import ClientVerdict
from console.accounts.http import SeeOther, SignedInRequest
from console.optimistic_lock import EditConflict, fingerprint
from console.pagination import paginate
from console.signing_in.reauthentication import reauthentication_required

PAGE_SIZE = 20
#: The fields that a registered client keeps, because its secret is for them.
FIXED_FIELDS = ("connector_slug", "organization", "environment", "host")


@require_http_methods(["GET", "HEAD", "POST"])
def oauth_client_detail(request: SignedInRequest, pk: uuid.UUID) -> HttpResponseBase:
    """Show a client and the connections that use it; a POST changes its name, ID or secret."""
    client = _client(request, pk)
    if request.method == "POST":
        return reauthentication_required(_change)(request, client)
    return _page(request, client, _form(client))


@require_POST
def oauth_client_test(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """Ask the service whether it accepts the client."""
    client = _client(request, pk)
    show_test(request, client)
    return _back(client)


@require_POST
@reauthentication_required
def oauth_client_default(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """Make a client the default for new authorizations."""
    client = _client(request, pk)
    try:
        registering.make_default(client, request.user)
    except IntegrityError:
        messages.error(request, "Another client just became the default. Look again.")
    else:
        messages.success(
            request,
            f"{client.name} is now the default. Connections that are already authorized keep "
            "their client until somebody authorizes them again.",
        )
    return _back(client)


@require_POST
@reauthentication_required
def oauth_client_move(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """Choose another client for the connections that use this one."""
    client = _client(request, pk)
    try:
        key = uuid.UUID(request.POST.get("target", ""))
    except ValueError:
        key = uuid.UUID(int=0)
    target = client.siblings.filter(pk=key).first()
    if target is None:
        messages.error(request, "That client no longer exists. Choose another one.")
        return _back(client)
    try:
        moved = registering.move_connections(client, target, request.user)
    except IntegrityError:
        messages.error(request, f"{target.name} was just deleted. Nothing was changed.")
        return _back(client)
    messages.success(
        request,
        f"{moved} connection{' uses' if moved == 1 else 's use'} {target.name} from the next "
        f"authorization on. Everybody who has authorized {'it' if moved == 1 else 'them'} must "
        f"authorize again; until then, {client.name} keeps working.",
    )
    return _back(client)


@reauthentication_required
@require_http_methods(["GET", "HEAD", "POST"])
def oauth_client_delete(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """Ask for confirmation, or show what keeps the client; a POST deletes it."""
    client = _client(request, pk)
    problem = registering.why_kept(client)
    if request.method == "POST":
        try:
            registering.delete(client, request.user)
        except registering.ClientKept as error:
            problem = str(error)
        else:
            messages.success(request, f"The OAuth client {client.name} was deleted.")
            return SeeOther(reverse("oauth_client_list"))
    return render(
        request,
        "oauth_clients/oauth_client_delete.html",
        {**_uses(request, client), "problem": problem},
        status=409 if request.method == "POST" else 200,
    )


@require_http_methods(["GET", "HEAD", "POST"])
def connection_oauth_client(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """Choose the client of a connection: the default one, or another one of its connector."""
    connection = get_object_or_404(
        Connection.objects.visible_to(request.user)
        .created()
        .filter(auth_type=AuthType.OAUTH2, connector_slug__in=get_connectors())
        .select_related("application__organization", "oauth_client"),
        pk=pk,
    )
    clients = AuthorizationSite.of_connection(connection).oauth_clients()
    posted = request.POST if request.method == "POST" else None
    form = ChosenClientForm(posted, instance=connection, clients=clients)
    differences = []
    if posted is not None and form.is_valid():
        try:
            choosing.choose(form, request.user)
        except EditConflict as error:
            differences = error.differences
        except IntegrityError:
            form.add_error("oauth_client", "That client was just deleted. Choose another one.")
        else:
            _say_chosen(request, connection)
            return SeeOther(connection.get_absolute_url())
    saved = Connection.objects.select_related("oauth_client").get(pk=pk)
    return render(
        request,
        "oauth_clients/connection_oauth_client.html",
        {
            "connection": connection,
            "connector": connection.connector,
            "form": form,
            "seen": fingerprint(form.display_values(saved)),
            "differences": differences,
            "authorized": connection.authorizations.filter(credential__isnull=False).count(),
        },
        status=409 if differences else 422 if posted is not None else 200,
    )


def show_test(request: SignedInRequest, client: OAuthClient) -> None:
    """Test a client and show the result as a message."""
    if client.connector_slug not in get_connectors():
        messages.error(request, "This service is no longer offered, so it cannot be tested.")
        return
    result = check_stored_client(client)
    show = {
        ClientVerdict.ACCEPTED: messages.success,
        ClientVerdict.REFUSED: messages.error,
        ClientVerdict.UNKNOWN: messages.info,
        ClientVerdict.UNREACHABLE: messages.warning,
    }[result.verdict]
    show(request, result.message)


def _say_chosen(request: SignedInRequest, connection: Connection) -> None:
    name = connection.oauth_client.name if connection.oauth_client else "the default client"
    words = f"{connection} uses {name} from the next authorization on."
    if number := choosing.to_authorize_again(connection):
        words += (
            f" {number} authorization{' was' if number == 1 else 's were'} given through another "
            "client. Everybody who has authorized it must authorize again; until then, the other "
            "client keeps working."
        )
    messages.success(request, words)


def _change(request: SignedInRequest, client: OAuthClient) -> HttpResponse:
    form = _form(client, request.POST)
    if form.is_valid():
        try:
            registering.change(form, request.user)
        except EditConflict as error:
            saved = OAuthClient.objects.select_related("organization").get(pk=client.pk)
            return _page(request, saved, form, error)
        except IntegrityError:
            form.add_error("name", "Another client just took this name. Choose another one.")
        else:
            messages.success(request, f"The OAuth client {client.name} was saved.")
            if "test" in request.POST:
                show_test(request, client)
            return _back(client)
    client.refresh_from_db()
    return _page(request, client, form)


def _form(client: OAuthClient, data: object = None) -> OAuthClientForm:
    form = OAuthClientForm(data, instance=client)
    for name in FIXED_FIELDS:
        del form.fields[name]
    return form


def _page(
    request: SignedInRequest,
    client: OAuthClient,
    form: OAuthClientForm,
    changed: EditConflict | None = None,
) -> HttpResponse:
    return render(
        request,
        "oauth_clients/oauth_client_detail.html",
        {
            **_uses(request, client),
            "form": form,
            "seen": fingerprint(form.display_values(client)),
            "differences": changed.differences if changed else [],
        },
        status=409 if changed else 422 if form.is_bound else 200,
    )


def _uses(request: SignedInRequest, client: OAuthClient) -> dict[str, object]:
    using = connections_using(client).select_related("application")
    page = paginate(using, request.GET, by="name", size=PAGE_SIZE, ascending=True)
    return {
        "client": client,
        "connector": connector_or_placeholder(client.connector_slug),
        "everybody": EVERYBODY,
        "page": page,
        "uses": client_uses(client, page.rows, request.user),
        "use_count": using.count(),
        "others": client.siblings.order_by("-is_default", "name"),
    }


def _client(request: SignedInRequest, pk: uuid.UUID) -> OAuthClient:
    rows = OAuthClient.objects.visible_to(request.user).select_related("organization")
    return get_object_or_404(rows, pk=pk)


def _back(client: OAuthClient) -> HttpResponse:
    return SeeOther(reverse("oauth_client_detail", args=[client.pk]))
