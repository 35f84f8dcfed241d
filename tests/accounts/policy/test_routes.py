"""Rules for every route: methods, CSRF tokens, security headers and hidden rows."""

from __future__ import annotations

import re
import uuid

import pytest
from django.test import Client

from connections.models import Authorization, Connection, Credential, Flow, OAuthClient
from console.accounts.policy import Action, Audience, RowTarget, roles_for
from console.applications.models import Right
from console.choices import Role
from console.distribution.models import Listing, Share
from console.publishing.models import Installation
from tests.accounts.policy.expectations import IDENTITIES
from tests.accounts.policy.visits import VISITS, address, rule

pytestmark = pytest.mark.one_database(
    "Visits all routes; the rooms test their queries on both databases."
)

OTHERS = ("own user", "own admin", "other developer", "operator")
OURS = {name: visit for name, visit in VISITS.items() if not visit.foreign}
WITH_ROW = sorted(name for name, visit in OURS.items() if visit.row)
#: The key of no person; theirs are numbers.
ABSENT = 2_000_000_000
METHODS = ("get", "post", "put", "patch", "delete")
#: Reasons why a row is hidden: the organization, the role, or the active organization.
HIDDEN_FROM = (
    ("other developer", ""),
    ("other developer", "/o/elsewhere"),
    ("own user", ""),
    ("both user", ""),
    ("both user", "/o/studio"),
    ("both developer", "/o/elsewhere"),
)


def is_open(name: str, identity: str, prefix: str = "") -> bool:
    """Tell whether the person's role in the organization of the rows opens the route."""
    known, route_rule = IDENTITIES[identity], rule(name)
    role = known.roles.get("own") if prefix in ("", "/o/studio") else None
    return route_rule.allows([role] if role else [], operator=known.operator)


def is_for_own_organization(name: str, identity: str) -> bool:
    """Tell whether a route is about no row, so that the person may use it in another one."""
    known, route_rule = IDENTITIES[identity], rule(name)
    by_role = route_rule.allows(known.roles.values(), operator=known.operator)
    return by_role and not isinstance(route_rule.target, RowTarget)


#: Routes that accept POST and GET, with a person who may not use them.
CLOSED = [
    (name, identity)
    for name in sorted(n for n, v in OURS.items() if "post" in v.methods and "get" in v.methods)
    for identity in OTHERS
    if rule(name).audience is Audience.PUBLIC
    or not (is_open(name, identity) or is_for_own_organization(name, identity))
]


def owner(name: str) -> str:
    """Return the name of a person who may open the route."""
    if VISITS[name].person:
        return VISITS[name].person
    audience = rule(name).audience
    if audience is Audience.OPERATOR:
        return "operator"
    by_role = isinstance(audience, Action) and Role.DEVELOPER not in roles_for(audience)
    return "own super_admin" if by_role else "own developer"


@pytest.mark.parametrize(("name", "identity"), CLOSED)
def test_it_changes_nothing_for_others(name, identity, things, come_as):
    models = (Connection, Authorization, Installation, Listing, Share)
    before = {model: list(model.objects.values()) for model in models}
    credentials = Credential.objects.count()

    response = come_as(identity).post(
        address(name, things), {"name": "Taken over", "all_actions": "on", "flow": uuid.uuid4()}
    )

    is_public = rule(name).audience is Audience.PUBLIC
    assert response.status_code == (VISITS[name].status if is_public else rule(name).denied_status)
    assert {model: list(model.objects.values()) for model in before} == before
    assert Credential.objects.count() == credentials


@pytest.mark.parametrize(("identity", "prefix"), HIDDEN_FROM)
def test_a_hidden_row_looks_like_a_missing_one(identity, prefix, things, come_as):
    client = come_as(identity)
    for name in WITH_ROW:
        if not isinstance(rule(name).target, RowTarget) and name != "flow_status":
            continue  # it is about a row that is hidden from nobody, or shut for all of these
        if is_open(name, identity, prefix) and not VISITS[name].person and name != "flow_status":
            continue
        method, row = VISITS[name].method, things[VISITS[name].row]
        absent_key = uuid.uuid4() if isinstance(row.pk, uuid.UUID) else ABSENT

        hidden = getattr(client, method)(prefix + address(name, things))
        absent = getattr(client, method)(prefix + address(name, things, absent_key))

        assert hidden.status_code == absent.status_code, name
        if 300 <= hidden.status_code < 400:
            assert name == "flow_status"  # it names no row: it answers for any
            continue
        written = "{}" if isinstance(row.pk, uuid.UUID) else "/{}/"  # a number may be elsewhere too
        page = without_tokens(absent).replace(written.format(absent_key), "")
        assert without_tokens(hidden).replace(written.format(row.pk), "") == page, name
        assert "Secret plan" not in hidden.content.decode(), name


@pytest.mark.parametrize("name", OURS)
def test_it_rejects_other_methods(name, things, come_as):
    client = come_as(owner(name))
    for method in set(METHODS) - set(VISITS[name].methods):
        assert getattr(client, method)(address(name, things)).status_code == 405, method


@pytest.mark.parametrize(
    "name", sorted(n for n, v in OURS.items() if "post" in v.methods and v.has_cookies)
)
@pytest.mark.parametrize("prefix", ["", "/o/studio"])
def test_it_needs_a_csrf_token(name, prefix, things, developer):
    client = Client(enforce_csrf_checks=True)
    client.force_login(developer)

    response = client.post(prefix + address(name, things), VISITS[name].data)

    assert response.status_code == 403


@pytest.mark.parametrize("name", sorted(n for n, v in OURS.items() if v.method == "get"))
@pytest.mark.parametrize("prefix", ["", "/o/studio"])
def test_get_changes_nothing(name, prefix, things, come_as):
    client = come_as(owner(name))
    models = (Connection, Authorization, Credential, Flow, OAuthClient)
    before = [list(model.objects.order_by("pk").values()) for model in models]

    for method in ("get", "head"):
        getattr(client, method)(prefix + address(name, things))

    assert [list(model.objects.order_by("pk").values()) for model in models] == before


@pytest.mark.parametrize("name", sorted(n for n, v in VISITS.items() if v.status < 300))
def test_every_page_sends_security_headers(name, things, come_as):
    response = come_as(owner(name)).get(address(name, things))

    policy = response["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "base-uri 'none'" in policy
    assert "unsafe" not in policy
    assert response["X-Frame-Options"] == "DENY"
    assert response["X-Content-Type-Options"] == "nosniff"
    opens_popup = name in {"connection_authorize", "installed_authorize"}
    opener_policy = "same-origin-allow-popups" if opens_popup else "same-origin"
    assert response["Cross-Origin-Opener-Policy"] == opener_policy
    assert response["Referrer-Policy"] == "same-origin"
    assert "Access-Control-Allow-Origin" not in response


@pytest.mark.parametrize("change", [{"role": Role.USER}, None], ids=["demoted", "put out"])
@pytest.mark.parametrize("prefix", ["", "/o/studio"])
def test_a_role_change_applies_immediately(change, prefix, things, come_as, developer):
    client, place = come_as("own developer"), prefix + address("connection_detail", things)
    assert client.get(place).status_code == 200
    developer.memberships.update(**change) if change else developer.memberships.all().delete()
    assert client.get(place).status_code == 404


@pytest.mark.parametrize("change", [{"may_publish": False}, None], ids=["taken", "removed"])
@pytest.mark.parametrize("name", ["publish", "release_list", "release_detail"])
def test_removing_a_right_applies_immediately(name, change, things, come_as, may_publish):
    client, place = come_as("own developer"), address(name, things)
    assert client.get(place).status_code == 200
    Right.objects.update(**change) if change else Right.objects.all().delete()
    assert client.get(place).status_code == 404


def test_disabled_people_are_signed_out_immediately(things, come_as, developer):
    client = come_as("own developer")
    type(developer).objects.filter(pk=developer.pk).update(is_active=False)
    assert client.get(address("connection_detail", things)).status_code == 302


def test_every_route_opens_for_someone():
    """Otherwise the tests above would prove nothing."""
    assert {owner(name) for name in VISITS} <= set(IDENTITIES)


def without_tokens(response) -> str:
    """Return a page without the tokens that differ with every request."""
    return re.sub(r'"[A-Za-z0-9]{64}"', "", response.content.decode())
