"""Visit every page once and measure each request."""

from __future__ import annotations

import gzip
import uuid
from collections import defaultdict
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from time import perf_counter, process_time
from typing import Any

from django.db import close_old_connections, connection
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from connections.models import Authorization, Connection
from connections.setup.connection_filters import PAGE_SIZE
from connectors.definitions.registry import get_connector
from console.accounts.models import User
from tests.bench.rows import MEASURED

TRANSACTION = ("BEGIN", "SAVEPOINT", "RELEASE SAVEPOINT")
#: Elapsed time and CPU time of the console's process, in milliseconds.
Visit = tuple[float, float]


def milliseconds(step: Callable[[], HttpResponse]) -> tuple[HttpResponse, Visit]:
    """Measure the time of one request, including its database connection."""
    begin, busy = perf_counter(), process_time()
    response = step()
    close_old_connections()  # a server does this after each request, the test client does not
    return response, ((perf_counter() - begin) * 1000, (process_time() - busy) * 1000)


def queries(step: Callable[[], HttpResponse]) -> tuple[HttpResponse, int]:
    """Count the queries of one request, without statements that begin or end transactions."""
    statements: list[str] = []

    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if not sql.startswith(TRANSACTION):
            statements.append(sql)
        return execute(sql, params, many, context)

    counting: AbstractContextManager[None] = connection.execute_wrapper(note)
    with counting:
        response = step()
    return response, len(statements)


class Visitor:
    """A signed-in test client that stores the measurement of each request by name."""

    def __init__(self, user: User, measure: Callable[..., tuple[HttpResponse, Any]]) -> None:
        self.client = Client(headers={"host": "localhost", "accept-encoding": "gzip, br"})
        self.client.force_login(user)
        self.measure = measure
        self.measured: dict[str, list[Any]] = defaultdict(list)
        #: Characters of each page, before compression.
        self.lengths: dict[str, int] = {}

    def get(self, name: str, url: str, **headers: str) -> None:
        response = self._record(name, lambda: self.client.get(url, headers=headers), 200)
        content = response.content
        if response.get("Content-Encoding") == "gzip":
            content = gzip.decompress(content)
        self.lengths[name] = len(content)

    def post(self, name: str, url: str, data: dict[str, Any]) -> str:
        """Submit a form and return the URL that it redirects to."""
        form = {"csrfmiddlewaretoken": "unchecked"} | data
        return self._record(name, lambda: self.client.post(url, form), 303)["Location"]

    def _record(self, name: str, step: Callable[[], HttpResponse], wanted: int) -> HttpResponse:
        response, figure = self.measure(step)
        if response.status_code != wanted:
            raise RuntimeError(f"{name} answered {response.status_code}, not {wanted}.")
        self.measured[name].append(figure)
        return response


@dataclass(frozen=True, kw_only=True)
class Landmarks:
    """Rows to visit: an authorized connection, and the cursor of a deep page."""

    authorized: Authorization
    deep: str


def landmarks(user: User) -> Landmarks:
    """Choose the rows; the deep page is as full as possible."""
    seen = Connection.objects.visible_to(user).order_by("created_at", "id")
    neighbor = seen[min(PAGE_SIZE, seen.count() - 1)]
    return Landmarks(
        authorized=Authorization.objects.filter(
            connection__in=seen, environment="all", user=None, credential__isnull=False
        )
        .select_related("connection__application")
        .latest("authorized_at"),
        deep=f"{neighbor.created_at.isoformat()}_{neighbor.pk}",
    )


def walk(visitor: Visitor, marks: Landmarks) -> None:
    """Visit every page once and restore the rows."""
    _read_lists(visitor, marks)
    _read_details(visitor, marks)
    _create(visitor)


def _read_lists(visitor: Visitor, marks: Landmarks) -> None:
    visitor.get("home", reverse("home"))
    visitor.get("applications", reverse("application_list"))
    connection = marks.authorized.connection
    application, connector = connection.application, connection.connector_slug
    visitor.get("application", application.get_absolute_url())
    url = reverse("connection_list")
    visitor.get("list, first page", url)
    visitor.get("list, deep page", f"{url}?before={marks.deep.replace('+', '%2B')}")
    for name, query in {
        "search": f"q={connector}",
        "search without results": "q=nothing-has-this-name",
        "authorized": "status=active",
        "not authorized": "status=needs_authorization",
        "drafts": "status=draft",
        "connector": f"connector={connector}",
        "application": f"application={application.link_name}",
        "all filters": f"q={connector}&status=active&connector={connector}"
        f"&application={application.link_name}",
    }.items():
        visitor.get(f"list, {name}", f"{url}?{query}")
    part = {"hx-request": "true", "hx-target": "table"}
    visitor.get("list, search as you type", f"{url}?q={connector[:4]}", **part)


def _read_details(visitor: Visitor, marks: Landmarks) -> None:
    connection = marks.authorized.connection_id
    visitor.get("details", reverse("connection_detail", args=[connection]))
    visitor.get("delete, confirmation", reverse("connection_delete", args=[connection]))
    visitor.get("revoke, confirmation", reverse("authorization_revoke", args=[marks.authorized.pk]))


def _create(visitor: Visitor) -> None:
    """Go through the wizard up to the redirect to the service."""
    gallery = reverse("connector_list")
    visitor.get("gallery", gallery)
    part = {"hx-request": "true", "hx-target": "cards"}
    visitor.get("gallery, search as you type", f"{gallery}?q=zohp", **part)
    chosen = {"application": "app_0"}
    url = visitor.post("gallery: choose a service", reverse("draft_start", args=[MEASURED]), chosen)
    draft = Connection.objects.get(pk=url.split("/")[2])
    for step, answer in _answers(draft).items():
        visitor.get(f"wizard, {step}", url)
        url = visitor.post(f"wizard, {step}: next", url, answer)
    visitor.get("authorize", url)
    flow = uuid.uuid4()
    visitor.post("authorize: to the service", url, {"flow": str(flow)})
    visitor.get("flow status", reverse("flow_status", args=[flow]))
    draft.delete()


def _answers(draft: Connection) -> dict[str, dict[str, Any]]:
    """Return the answer to each step of the wizard; the last one creates the connection."""
    parameters = {f"parameter_{name}": value for name, value in draft.parameters.items()}
    return {
        "name": {"name": draft.name, "application": str(draft.application_id)} | parameters,
        "level": {"level": "administrator"},
        "permissions": {"scopes": list(get_connector(MEASURED).oauth2.all_actions)[:6]},
        "environments": {},
    }
