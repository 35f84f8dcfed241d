"""Search the rows that a person may see: one bounded query for each kind."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any
from urllib.parse import urlencode

from django.db.models import Q, QuerySet
from django.urls import reverse

from connections.models import Connection, InstalledConnection
from connections.setup.connection_filters import with_words
from connectors.definitions.registry import get_connectors
from connectors.definitions.search import search as search_connectors
from console.accounts.http import SignedInRequest
from console.accounts.models import Membership, Organization
from console.accounts.policy import Action
from console.applications.models import Application
from console.components.models import Component
from console.distribution.models import Listing
from console.inviting.models import Invitation
from console.publishing.models import Installation
from console.search.search_result import MOST, SearchGroup, SearchResult, rank

#: So many of the best matching services are found by one search.
MOST_SERVICES = 5
#: The icon of each kind of component, as in the lists.
_COMPONENT_ICONS = {
    "form": "forms",
    "report": "report",
    "page": "layout",
    "workflow": "sitemap",
    "function": "function",
}


def containing(words: Iterable[str], *fields: str) -> Q:
    """Match the rows that have every word in one of these fields."""
    condition = Q()
    for word in words:
        any_field = Q()
        for field in fields:
            any_field |= Q(**{f"{field}__icontains": word})
        condition &= any_field
    return condition


def find_connections(request: SignedInRequest, words: Sequence[str]) -> SearchGroup:
    """Find connections as their list does: by names, service, application, description and tag.

    If nothing is found, a misspelled service is looked for, as in the gallery.
    """
    seen = Connection.objects.visible_to(request.user).filter(
        Q(status=Connection.Status.CREATED) | Q(created_by=request.user)
    )
    rows = seen.select_related("application").order_by("-created_at", "-id")
    found = list(rows.filter(with_words(words))[: MOST + 1])
    if not found and len(words) == 1 and (similar := search_connectors(words[0])):
        slugs = [connector.slug for connector in similar]
        found = list(rows.filter(connector_slug__in=slugs)[: MOST + 1])
    return SearchGroup(
        kind="connections",
        label="Connections",
        results=_best(
            words,
            found,
            lambda row: SearchResult(
                title=row.name,
                url=row.get_absolute_url(),
                note=f"{row.connector.name} · {row.application.name}",
                connector=row.connector,
            ),
        ),
        more_url=f"{reverse('connection_list')}?{urlencode({'q': ' '.join(words)})}",
    )


def find_components(request: SignedInRequest, words: Sequence[str]) -> SearchGroup:
    """Find components by name, link name and application."""
    rows = Component.objects.allowing(request.user, Action.MANAGE_COMPONENTS)
    rows = rows.filter(containing(words, "name", "link_name", "application__name"))
    found = rows.select_related("application").defer("definition").order_by("link_name")
    return SearchGroup(
        kind="components",
        label="Components",
        results=_best(
            words,
            found[: MOST + 1],
            lambda row: SearchResult(
                title=row.name,
                url=row.get_absolute_url(),
                note=f"{row.get_kind_display()} · {row.application.name}",
                icon=_COMPONENT_ICONS[row.kind],
            ),
        ),
    )


def find_applications(request: SignedInRequest, words: Sequence[str]) -> SearchGroup:
    """Find the applications that the person builds."""
    rows = Application.objects.allowing(request.user, Action.MANAGE_CONNECTIONS)
    rows = rows.filter(containing(words, "name", "link_name")).select_related("organization")
    return SearchGroup(
        kind="applications",
        label="Applications",
        results=_best(
            words,
            rows.order_by("name")[: MOST + 1],
            lambda row: SearchResult(
                title=row.name,
                url=row.get_absolute_url(),
                note=str(row.organization),
                icon="apps",
            ),
        ),
    )


def find_installed(request: SignedInRequest, words: Sequence[str]) -> SearchGroup:
    """Find installed applications."""
    rows = Installation.objects.allowing(request.user, Action.USE_INSTALLED)
    rows = rows.filter(containing(words, "application__name", "application__link_name"))
    return SearchGroup(
        kind="installed",
        label="Installed applications",
        results=_best(
            words,
            rows.select_related("application", "organization").order_by("application__name")[
                : MOST + 1
            ],
            lambda row: SearchResult(
                title=str(row.application),
                url=reverse("installation_detail", args=[row.pk]),
                note=str(row.organization),
                icon="download",
            ),
        ),
    )


def find_installed_connections(request: SignedInRequest, words: Sequence[str]) -> SearchGroup:
    """Find the connections of installed applications."""
    rows = InstalledConnection.objects.live().visible_to(request.user)
    fields = ("document__name", "connection__link_name", "connection__connector_slug")
    rows = rows.filter(containing(words, *fields))
    found = rows.select_related("connection__application").order_by("pk")
    return SearchGroup(
        kind="installed_connections",
        label="Connections of installed applications",
        results=_best(
            words,
            found[: MOST + 1],
            lambda row: SearchResult(
                title=row.snapshot.name,
                url=reverse("installed_connection", args=[row.pk]),
                note=f"{row.snapshot.definition.name} · {row.connection.application.name}",
                connector=row.snapshot.definition,
            ),
        ),
    )


def find_clients(request: SignedInRequest, words: Sequence[str]) -> SearchGroup:
    """Find the clients of organizations in which the person manages or serves clients."""
    user = request.user
    shipping = Application.objects.allowing(user, Action.DISTRIBUTE)
    served = Q(pk__in=shipping.values("organization"))
    homes = Organization.objects.filter(
        Q(pk__in=Organization.objects.allowing(user, Action.MANAGE_CLIENTS).values("pk")) | served
    )
    accepted = Invitation.objects.as_client().filter(
        organization__in=homes.values("pk"), accepted_at__isnull=False
    )
    rows = Organization.objects.filter(pk__in=accepted.values("client"))
    url = reverse("client_list")
    return SearchGroup(
        kind="clients",
        label="Clients",
        results=_best(
            words,
            rows.filter(containing(words, "name")).order_by("name")[: MOST + 1],
            lambda row: SearchResult(
                title=row.name, url=f"{url}#client-{row.pk}", note="Client", icon="building"
            ),
        ),
    )


def find_people(request: SignedInRequest, words: Sequence[str]) -> SearchGroup:
    """Find the people of organizations in which the person manages people."""
    managed = Organization.objects.allowing(request.user, Action.MANAGE_PEOPLE)
    rows = Membership.objects.filter(organization__in=managed).select_related(
        "user", "organization"
    )
    names = containing(words, "user__email", "user__first_name", "user__last_name")
    return SearchGroup(
        kind="people",
        label="People",
        results=_best(
            words,
            rows.filter(names).order_by("user__email")[: MOST + 1],
            lambda row: SearchResult(
                title=str(row.user),
                url=reverse("person_detail", args=[row.pk]),
                note=f"{row.get_role_display()} of {row.organization}"
                + (" · Deactivated" if row.deactivated_at else ""),
                icon="user",
            ),
        ),
    )


def find_listings(request: SignedInRequest, words: Sequence[str]) -> SearchGroup:
    """Find applications in the marketplace, which everyone may see."""
    rows = Listing.objects.published().filter(containing(words, "title", "summary"))
    return SearchGroup(
        kind="marketplace",
        label="Marketplace",
        results=_best(
            words,
            rows.defer("description").order_by("title")[: MOST + 1],
            lambda row: SearchResult(
                title=row.title,
                url=reverse("listing_detail", args=[row.application_id]),
                note=row.summary,
                icon="building-store",
            ),
        ),
        more_url=f"{reverse('marketplace')}?{urlencode({'q': ' '.join(words)})}",
    )


def find_services(request: SignedInRequest, words: Sequence[str]) -> SearchGroup:
    """Find services to connect to; spelling mistakes are tolerated."""
    query = " ".join(words)
    found = search_connectors(query) if request.user.may(Action.MANAGE_CONNECTIONS) else []
    known = get_connectors()
    return SearchGroup(
        kind="services",
        label="Services",
        results=[
            SearchResult(
                title=connector.name,
                url=reverse("draft_start", args=[connector.slug]),
                note="Create a connection",
                connector=connector,
            )
            for connector in found[:MOST_SERVICES]
            if connector.slug in known
        ],
        more_url=f"{reverse('connector_list')}?{urlencode({'q': query})}",
    )


#: The kinds in the order of the page.
FINDERS = (
    find_connections,
    find_components,
    find_applications,
    find_installed,
    find_installed_connections,
    find_clients,
    find_people,
    find_services,
    find_listings,
)


def _best(
    words: Sequence[str],
    rows: QuerySet[Any] | Sequence[Any],
    result_of: Callable[[Any], SearchResult],
) -> list[SearchResult]:
    """Return the results for these rows, the best match first."""
    results = [result_of(row) for row in rows]
    return sorted(results, key=lambda result: -rank(words, result.title, result.note))
