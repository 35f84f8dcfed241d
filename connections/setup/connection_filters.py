"""Filters and pages of the list of connections."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

from django import forms
from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet, prefetch_related_objects
from django.db.models.functions import Lower
from django.http import QueryDict

from connections.models import Authorization, Connection, Tag
from connections.models.connection import ConnectionQuerySet
from connections.models.state_badge import AUTHORIZATION_STATES, STATES
from connections.models.state_conditions import in_state, missing_permissions_at_home
from connectors.definitions.registry import get_connectors
from console.accounts.models import Organization
from console.accounts.policy import Action
from console.applications.models import Application
from console.column_sort import ColumnSort, SortColumn
from console.filters import FilterForm, FlatSelect
from console.pagination import Keep, Page

PAGE_SIZE = 20
#: Filters by status, in the order of the states.
STATUSES = [(name, STATES[name].words) for name in (*AUTHORIZATION_STATES, "draft")]

_tagged = Tag.objects.filter(connections=OuterRef("pk"))

#: An index holds the columns that can be sorted.
COLUMNS = (
    SortColumn(name="name", label="Name", by="name_key"),
    SortColumn(name="application", label="Application"),
    SortColumn(name="state", label="State"),
    SortColumn(name="created", label="Created", by="created_at", is_descending=True),
)


class ConnectionFilterForm(FilterForm):
    """Filter connections by text, status, connector, application and tag."""

    q = forms.CharField(label="Search", required=False, max_length=100)
    status = forms.ChoiceField(
        label="Status",
        required=False,
        choices=[("", "Any"), *STATUSES],
    )
    connector = forms.ChoiceField(label="Connector", required=False, widget=FlatSelect)
    application = forms.ChoiceField(label="Application", required=False, widget=FlatSelect)
    tag = forms.ChoiceField(label="Tag", required=False, widget=FlatSelect)

    def __init__(self, params: QueryDict, *, user: Any) -> None:
        super().__init__(params, user=user)
        applications = list(
            Application.objects.allowing(user, Action.MANAGE_CONNECTIONS).values_list(
                "pk", "link_name", "name"
            )
        )
        by_link_name = {link_name: name for _, link_name, name in applications}
        self.set_choices("application", by_link_name.items())
        rows = Connection.objects.filter(application__in=[pk for pk, _, _ in applications])
        # Of hundreds of connectors, offer only those in use and the one in the query string.
        used = {*rows.values_list("connector_slug", flat=True).distinct().order_by()}
        used.add(self.params.get("connector", ""))
        connectors = get_connectors().items()
        self.set_choices("connector", ((slug, c.name) for slug, c in connectors if slug in used))
        tags = Tag.objects.filter(Exists(rows.filter(tags=OuterRef("pk"))))
        names = dict.fromkeys(tags.values_list("name", flat=True))
        self.set_choices("tag", ((name, name) for name in names))
        self.has_tags = bool(names)

    def selects(self) -> list[forms.BoundField]:
        names = ["status", "connector", "application"]
        if self.has_tags:
            names.append("tag")
        return [self[name] for name in names]

    def page(self, sort: ColumnSort) -> Page[Connection]:
        """Return one page of the list, with the authorizations that the person can see.

        Nearly every connection that can act has all its permissions, so these are compared for
        the rows of the page and not for all connections.
        """
        if self.chosen.get("status") != "active":
            return page_of(self.connections(), self.user, sort)
        candidates = self._without_status().created().filter(_able_to_act(self.user))
        return page_of(candidates, self.user, sort, keep=partial(_with_permissions, self.user))

    def connections(self) -> ConnectionQuerySet:
        """Return the connections that the person can see, narrowed by the filters."""
        connections = self._without_status()
        match self.chosen.get("status"):
            case None:
                return connections
            case "draft":
                return connections.drafts()
            case status:
                return connections.created().filter(in_display_state(status, self.user))

    def _without_status(self) -> ConnectionQuerySet:
        chosen = self.chosen
        connections = Connection.objects.visible_to(self.user).filter(
            Q(status=Connection.Status.CREATED) | Q(created_by=self.user)
        )
        if text := chosen.get("q"):
            connections = connections.filter(with_words(text.split()))
        if slug := chosen.get("connector"):
            connections = connections.filter(connector_slug=slug)
        if link_name := chosen.get("application"):
            connections = connections.filter(application__link_name=link_name)
        if name := chosen.get("tag"):
            connections = connections.filter(Exists(_tagged.filter(name=name)))
        return connections


def with_words(words: Iterable[str]) -> Q:
    """Match the connections that have every word in a name, the service, a text or a tag."""
    condition = Q()
    for word in words:
        condition &= (
            Q(name__icontains=word)
            | Q(link_name__icontains=word)
            | Q(connector_slug__icontains=word)
            | Q(application__name__icontains=word)
            | Q(description__icontains=word)
            | Q(Exists(_tagged.filter(name__icontains=word)))
        )
    return condition


def in_display_state(name: str, user: Any) -> Q:
    """Match the connections with this state in one of their environments, as this person sees it.

    Only a connection that is authorized in all of them is ``active``.
    """
    if name == "disabled":
        return Q(disabled_at__isnull=False)
    return Q(disabled_at=None) & _in_authorization_state(name, _seen_by(user))


def _in_authorization_state(name: str, mine: QuerySet[Authorization]) -> Q:
    if name == "needs_authorization":
        return ~_everywhere(mine) | _somewhere(mine.filter(in_state(name)))
    if name not in {"active", "expiring", "permissions_missing"}:
        return _somewhere(mine.filter(in_state(name)))
    if name == "permissions_missing":
        missing = missing_permissions_at_home(mine)
        return _somewhere(mine.filter(missing)) if missing else Q(pk=None)
    # Few rows expire soon, and an index finds them: only their permissions are compared.
    rows = mine.filter(in_state(name))
    if missing := missing_permissions_at_home(rows):
        rows = rows.exclude(pk__in=mine.filter(missing).values("pk"))
    return _everywhere(rows) if name == "active" else _somewhere(rows)


def _able_to_act(user: Any) -> Q:
    """Match the connections of ``in_display_state("active")``, and those without permissions."""
    return Q(disabled_at=None) & _everywhere(_seen_by(user).filter(in_state("active")))


def _with_permissions(user: Any, batch: list[Connection]) -> list[Connection]:
    """Drop the connections that lack permissions in one of their environments."""
    keys = [connection.pk for connection in batch]
    mine = _seen_by(user).filter(connection__in=keys)
    missing = missing_permissions_at_home(mine)
    if missing is None:
        return batch
    lacking = Connection.objects.filter(_somewhere(mine.filter(missing)), pk__in=keys)
    dropped = set(lacking.values_list("pk", flat=True))
    return [connection for connection in batch if connection.pk not in dropped]


def _seen_by(user: Any) -> QuerySet[Authorization]:
    """Return the developers' authorizations that a person can see: shared and their own."""
    return Authorization.objects.filter(
        Q(user=None) | Q(user=user),
        organization__in=Organization.objects.allowing(user, Action.MANAGE_CONNECTIONS),
    )


def _somewhere(rows: QuerySet[Authorization]) -> Q:
    """Match the connections that have one of these authorizations in any of their environments."""
    own = Q(environment="all", connection__separate_environments=False) | Q(
        environment__in=["development", "stage"], connection__separate_environments=True
    )
    # Few rows are in such a state, and an index finds them.
    return Q(pk__in=rows.filter(own).values("connection"))


def _everywhere(rows: QuerySet[Authorization]) -> Q:
    """Match the connections that have one of these authorizations in all of their environments."""

    def live(environment: str) -> Exists:
        return Exists(rows.filter(connection=OuterRef("pk"), environment=environment))

    return Q(live("all"), separate_environments=False) | Q(
        live("development"), live("stage"), separate_environments=True
    )


def sort_of(params: QueryDict) -> ColumnSort:
    """Return the columns of the list and the order that the query string asks for."""
    return ColumnSort(COLUMNS, params, default="-created")


def page_of(
    connections: ConnectionQuerySet,
    user: Any,
    sort: ColumnSort,
    keep: Keep[Connection] | None = None,
) -> Page[Connection]:
    """Return one page of connections, with the authorizations that the person can see."""
    # The annotated type of django-stubs does not fit the type of a page.
    rows: Any = connections.select_related("application").annotate(name_key=Lower("name"))
    page = sort.page(rows, PAGE_SIZE, keep)
    with_places(page.rows, user)
    return page


def with_places(rows: list[Connection], user: Any) -> None:
    """Set ``places``, each environment with its authorization, for templates of rows."""
    prefetch_related_objects(rows, "released", "tags", _authorizations_seen_by(user))
    for row in rows:
        visible: list[Authorization] = vars(row)["visible_authorizations"]
        by_environment = {each.environment: each for each in visible}
        places = [(place, by_environment.get(place)) for place in row.environments]
        vars(row)["places"] = places


def _authorizations_seen_by(user: Any) -> Prefetch[Any]:
    seen = (
        Authorization.objects.filter(Q(user=None) | Q(user=user))
        .exclude(environment="production")
        .select_related("credential")
        .defer("credential__secret", "credential__journal")
        .order_by("environment")
    )
    return Prefetch("authorizations", seen, to_attr="visible_authorizations")
