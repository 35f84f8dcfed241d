"""Every route for every identity, against one table; a new route without a row here fails."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.test import Client
from django.urls import URLPattern, URLResolver, reverse
from django.utils import timezone

import connections.urls
import console.publishing.urls
import console.transfer.urls
import console.urls
from connections.models import Authorization, Connection, Credential, Flow, OAuthClient
from console.accounts.policy import ALLOWED, Action, Role
from console.publishing.manifest import Manifest
from console.publishing.models import Release, Stage
from console.transfer.exporting import export
from console.transfer.models import Upload

OWN = {f"own {role}" for role in Role.values}
OTHER = {f"other {role}" for role in Role.values}
SIGNED_IN = OWN | OTHER | {"operator"}
IDENTITIES = sorted(SIGNED_IN | {"anonymous"})


def holders(action: Action) -> set[str]:
    """Name who may do this, in their own organisation, by the policy of the console."""
    return {f"{place} {role.value}" for place in ("own", "other") for role in ALLOWED[action]}


MANAGERS = holders(Action.MANAGE_CONNECTIONS)
OWN_MANAGERS = MANAGERS & OWN
OWN_MAKERS = holders(Action.MANAGE_COMPONENTS) & OWN
OWN_PUBLISHERS = holders(Action.PUBLISH) & OWN
CREATORS = holders(Action.CREATE_APPLICATIONS)
SUPER_ADMIN = {"own super_admin"}
DEVELOPER = {"own developer"}


@dataclass(frozen=True, kw_only=True)
class Route:
    """Who gets ``status``; everybody else who is signed in gets ``otherwise``."""

    who: set[str]
    method: str = "get"
    also: tuple[str, ...] = ()
    status: int = 200
    otherwise: int = 404
    of: str = ""  # which of the objects of the test stands in the address
    arguments: tuple[str, ...] = ()
    data: Mapping[str, str] = field(default_factory=dict)
    query: str = ""
    public: int = 0  # what somebody gets who is not signed in, where that is no redirect


ROUTES: dict[str, Route] = {
    "home": Route(who=SIGNED_IN),
    "application_list": Route(who=MANAGERS, otherwise=403),
    "application_detail": Route(who=OWN_MANAGERS, arguments=("field_service",)),
    "favicon": Route(who=SIGNED_IN, status=302, public=302),
    "healthz": Route(who=SIGNED_IN, public=200),
    "readyz": Route(who=SIGNED_IN, public=200),
    "connection_list": Route(who=MANAGERS, otherwise=403),
    "connector_list": Route(who=MANAGERS, otherwise=403),
    "draft_start": Route(
        who=MANAGERS, otherwise=403, method="post", status=303, arguments=("slack",)
    ),
    "connection_detail": Route(who=OWN_MANAGERS, of="connection"),
    # A draft is one person's own.
    "connection_setup": Route(who=DEVELOPER, also=("post",), of="draft", arguments=("name",)),
    "draft_discard": Route(who=DEVELOPER, method="post", status=303, of="draft"),
    "connection_authorize": Route(who=OWN_MANAGERS, also=("post",), of="connection"),
    "connection_reuse": Route(
        who=OWN_MANAGERS, method="post", status=303, of="connection", data={"credential": "x"}
    ),
    "connection_permissions": Route(who=OWN_MANAGERS, also=("post",), of="connection"),
    "connection_rename": Route(
        who=OWN_MANAGERS, method="post", status=303, of="connection", data={"name": "Other"}
    ),
    "connection_delete": Route(who=OWN_MANAGERS, also=("post",), of="connection"),
    "authorization_test": Route(who=OWN_MANAGERS, method="post", status=303, of="authorization"),
    "authorization_label": Route(
        who=OWN_MANAGERS, method="post", status=303, of="authorization", data={"label": "Main"}
    ),
    "authorization_revoke": Route(who=OWN_MANAGERS, also=("post",), of="authorization"),
    "component_list": Route(who=OWN_MANAGERS, of="application"),
    "component_create": Route(who=OWN_MAKERS, also=("post",), of="application"),
    "component_detail": Route(who=OWN_MAKERS, of="component"),
    "component_save": Route(
        who=OWN_MAKERS,
        method="post",
        status=303,
        of="component",
        data={"name": "Other", "definition": "{}", "version": "1"},
    ),
    "component_check": Route(who=OWN_MAKERS, method="post", of="component"),
    "component_run": Route(
        who=OWN_MAKERS, method="post", of="component", data={"environment": "development"}
    ),
    "component_delete": Route(who=OWN_MAKERS, also=("post",), of="component"),
    "publish": Route(who=OWN_PUBLISHERS, also=("post",), of="application"),
    "publish_preview": Route(who=OWN_PUBLISHERS, method="post", of="application"),
    "release_list": Route(who=OWN_PUBLISHERS, of="application"),
    "release_compare": Route(
        who=OWN_PUBLISHERS, of="application", query="?before=development&after=1"
    ),
    "change_detail": Route(
        who=OWN_PUBLISHERS, of="application", arguments=("connections", "connection_1")
    ),
    "release_detail": Route(who=OWN_PUBLISHERS, of="release"),
    "release_roll_back": Route(who=OWN_PUBLISHERS, also=("post",), of="release"),
    "application_export": Route(who=holders(Action.MANAGE_COMPONENTS) & OWN, of="application"),
    "application_import": Route(who=CREATORS, also=("post",), otherwise=403),
    # A file that was sent is one person's own.
    "upload_detail": Route(who=SUPER_ADMIN, of="upload"),
    "upload_confirm": Route(who=SUPER_ADMIN, method="post", status=303, of="upload"),
    "upload_discard": Route(who=SUPER_ADMIN, method="post", status=303, of="upload"),
    "schema_detail": Route(who=SIGNED_IN, arguments=("component",), public=200),
    # Nobody's without its state; the view itself refuses who is not signed in.
    "oauth_callback": Route(who=SIGNED_IN, status=400, arguments=("sandbox",), public=403),
    "flow_detail": Route(who=DEVELOPER, of="flow"),
    # What nobody has begun is being waited for, too: the page that asks is ahead of the popup.
    "flow_status": Route(who=SIGNED_IN, of="flow"),
}
#: What other people's applications bring, tested in other files.
INCLUDED = {"connections.urls", "console.publishing.urls", "console.transfer.urls", "allauth.urls"}
OF_ROWS = sorted(name for name, route in ROUTES.items() if route.of)
METHODS = ("get", "post", "put", "patch", "delete")


@pytest.fixture
def things(
    application, connect, grant, build, developer, super_admin
) -> dict[str, Connection | Authorization | Flow]:
    """One row of each kind, all of them of the same organisation."""
    client = OAuthClient.objects.create(connector_slug="sandbox", client_id="c", client_secret="s")
    connection = connect(name="Secret plan")
    release = Release.objects.create(
        application=application, number=1, content=Manifest().text, created_by=developer
    )
    Stage.objects.create(application=application, release=release)
    return {
        "application": application,
        "component": build("Secret plan"),
        "release": release,
        "upload": Upload.objects.create(
            user=super_admin,
            organization=application.organization,
            file_name="secret_plan.json",
            text=export(application),
        ),
        "connection": connection,
        "draft": connect(name="A draft", status="draft", link_name=""),
        "authorization": grant(connection),
        "flow": Flow.objects.create(
            state_hash="0" * 64,
            browser_hash="1" * 64,
            user=developer,
            connection=connection,
            organization=application.organization,
            environments=["all"],
            client=client,
            redirect_uri=client.redirect_uri,
            expires_at=timezone.now() + timedelta(minutes=10),
        ),
    }


@pytest.fixture
def come_as(
    things, member, developer, super_admin, studio, stranger_organization, operator, signed_in
):
    """Return the browser of somebody."""

    def come(identity: str) -> Client:
        if identity == "anonymous":
            return Client()
        if identity == "operator":
            return signed_in(operator)
        place, _, role = identity.partition(" ")
        if identity == "own developer":
            return signed_in(developer)
        if identity == "own super_admin":
            return signed_in(super_admin)
        return signed_in(member(studio if place == "own" else stranger_organization, role))

    return come


def address(name: str, things, pk: uuid.UUID | None = None) -> str:
    route = ROUTES[name]
    key = [pk or things[route.of].pk] if route.of else []
    return reverse(name, args=[*key, *route.arguments]) + route.query


def test_every_route_is_in_the_table():
    patterns = [
        *console.urls.urlpatterns,
        *connections.urls.urlpatterns,
        *console.publishing.urls.urlpatterns,
        *console.transfer.urls.urlpatterns,
    ]
    names = [pattern.name for pattern in patterns if isinstance(pattern, URLPattern)]
    assert sorted(names) == sorted(ROUTES)


def test_every_include_is_known():
    included = [
        getattr(pattern.urlconf_name, "__name__", "") or pattern.app_name
        for pattern in console.urls.urlpatterns
        if isinstance(pattern, URLResolver)
    ]
    assert set(included) == INCLUDED | {"admin"}


@pytest.mark.parametrize("identity", IDENTITIES)
@pytest.mark.parametrize("name", ROUTES)
def test_it_opens_for_whom_the_policy_says(name, identity, things, come_as):
    route = ROUTES[name]
    place = address(name, things)

    response = getattr(come_as(identity), route.method)(place, route.data)

    if identity == "anonymous" and not route.public:
        assert response.status_code == 302
        assert response["Location"].startswith(f"{reverse('account_login')}?{REDIRECT_FIELD_NAME}=")
    elif identity == "anonymous":
        assert response.status_code == route.public
    else:
        assert response.status_code == (route.status if identity in route.who else route.otherwise)


@pytest.mark.parametrize("name", sorted(n for n, r in ROUTES.items() if r.also))
@pytest.mark.parametrize(
    "identity", [*sorted((OWN | OTHER | {"operator"}) - MANAGERS), "other developer"]
)
def test_it_changes_nothing_for_others(name, identity, things, come_as):
    route = ROUTES[name]
    before = {model: list(model.objects.values()) for model in (Connection, Authorization)}

    response = come_as(identity).post(
        address(name, things), {"name": "Taken over", "all_actions": "on", "flow": uuid.uuid4()}
    )

    assert response.status_code == route.otherwise
    assert {model: list(model.objects.values()) for model in before} == before
    assert Credential.objects.count() == 1


@pytest.mark.parametrize("name", OF_ROWS)
def test_it_answers_as_for_a_row_that_is_not_there(name, things, come_as):
    client, method = come_as("other developer"), ROUTES[name].method

    hidden = getattr(client, method)(address(name, things))
    absent_key = uuid.uuid4()
    absent = getattr(client, method)(address(name, things, absent_key))

    assert hidden.status_code == absent.status_code
    key = str(things[ROUTES[name].of].pk)
    assert without_tokens(hidden).replace(key, "") == without_tokens(absent).replace(
        str(absent_key), ""
    )
    assert "Secret plan" not in hidden.content.decode()


@pytest.mark.parametrize("name", ROUTES)
def test_it_rejects_other_methods(name, things, come_as):
    route = ROUTES[name]
    client = come_as("own developer")
    for method in set(METHODS) - {route.method, *route.also}:
        response = getattr(client, method)(address(name, things))
        assert response.status_code == 405, method


@pytest.mark.parametrize(
    "name", sorted(n for n, r in ROUTES.items() if "post" in (r.method, *r.also))
)
def test_it_needs_a_csrf_token(name, things, developer):
    client = Client(enforce_csrf_checks=True)
    client.force_login(developer)

    assert client.post(address(name, things), ROUTES[name].data).status_code == 403


@pytest.mark.parametrize("name", sorted(n for n, r in ROUTES.items() if r.method == "get"))
def test_looking_changes_nothing(name, things, come_as):
    client = come_as("own developer")
    models = (Connection, Authorization, Credential, Flow, OAuthClient)
    before = [list(model.objects.order_by("pk").values()) for model in models]

    for method in ("get", "head"):
        getattr(client, method)(address(name, things))

    assert [list(model.objects.order_by("pk").values()) for model in models] == before


@pytest.mark.parametrize("name", sorted(n for n, r in ROUTES.items() if r.status < 300))
def test_every_page_tells_the_browser_to_be_careful(name, things, come_as):
    response = come_as("own developer").get(address(name, things))

    policy = response["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "base-uri 'none'" in policy
    assert "unsafe" not in policy
    assert response["X-Frame-Options"] == "DENY"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Cross-Origin-Opener-Policy"] == "same-origin"
    assert response["Referrer-Policy"] == "same-origin"
    assert "Access-Control-Allow-Origin" not in response


@pytest.mark.parametrize("change", [{"role": Role.USER}, None], ids=["demoted", "put out"])
def test_a_change_of_role_counts_at_once(change, things, come_as, developer):
    client = come_as("own developer")
    assert client.get(address("connection_detail", things)).status_code == 200
    developer.memberships.update(**change) if change else developer.memberships.all().delete()
    assert client.get(address("connection_detail", things)).status_code == 404


def test_who_is_switched_off_is_signed_out_at_once(things, come_as, developer):
    client = come_as("own developer")
    type(developer).objects.filter(pk=developer.pk).update(is_active=False)
    assert client.get(address("connection_detail", things)).status_code == 302


def without_tokens(response) -> str:
    """Return a page without what differs on every request."""
    return re.sub(r'"[A-Za-z0-9]{64}"', "", response.content.decode())
