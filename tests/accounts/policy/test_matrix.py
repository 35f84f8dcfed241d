"""Check every route for every person, prefix and environment against the policy table."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from console.accounts.policy import RULES
from tests.accounts.policy.expectations import IDENTITIES, PREFIXES, expected
from tests.accounts.policy.visits import VISITS, address, rule

pytestmark = pytest.mark.one_database(
    "Visits all routes as everyone; the rooms test their queries on both databases."
)


def names(resolver: URLResolver) -> set[str]:
    """Return the names of all routes without a namespace."""
    found = set()
    for entry in resolver.url_patterns:
        if isinstance(entry, URLPattern):
            found.add(entry.name)
        elif not entry.namespace:
            found |= names(entry)
    return found


def test_every_route_is_visited():
    plain = {name for name in VISITS if ":" not in name}
    assert plain == names(get_resolver())
    assert {name.partition(":")[0] for name in VISITS} == set(RULES)


@pytest.mark.parametrize("name", VISITS)
def test_it_opens_for_the_people_in_the_policy(name, things, come_as, record_property):
    visit, path = VISITS[name], address(name, things)
    cells, differences = 0, []
    for identity in IDENTITIES.values():
        client = come_as(identity.name)
        for prefix, start in PREFIXES.items():
            for environment, status in [("", None), *visit.environments.items()]:
                data, query = _naming(environment, visit, path)
                wanted = expected(name, identity, prefix, path + query, status)
                came, location = _look(client, visit.method, start + path + query, data)
                cells += 1
                if came != wanted.status or not location.startswith(wanted.location):
                    cell = f"{identity.name}, {start or '/'}, {environment or 'no environment'}"
                    differences.append(f"{cell}: {came} {location}, not {wanted}")
    record_property("cells", cells)
    assert differences == [], "\n".join(differences)


def test_the_matrix_contains_every_kind_of_answer():
    """A matrix of equal answers would prove nothing."""
    route_rules = {rule(name) for name in VISITS}
    assert len({route_rule.audience for route_rule in route_rules}) > 5
    assert {route_rule.denied_status for route_rule in route_rules} == {403, 404}


def _naming(environment: str, visit: Any, path: str) -> tuple[dict[str, str], str]:
    """Return the environment as form data or query, as the route expects it."""
    if not environment:
        return dict(visit.data), ""
    if visit.method == "post":
        return {**visit.data, "environment": environment}, ""
    return dict(visit.data), f"{'&' if '?' in path else '?'}environment={environment}"


def _look(client: Client, method: str, where: str, data: dict[str, str]) -> tuple[int, str]:
    """Send a request and roll back its changes, so that each visit finds the same rows."""
    with transaction.atomic():
        response = getattr(client, method)(where, data)
        transaction.set_rollback(True)
    return response.status_code, response.get("Location", "")
