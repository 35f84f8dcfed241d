"""The person loses the permission, or the organization the application, during a flow."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from connections.authorizations import authorizing, granting
from connections.models import (
    Authorization,
    Credential,
    Flow,
    InstalledConnection,
)
from connections.models.authorization_site import AuthorizationSite
from connectors.errors import ServiceError
from console.accounts.authority import NotAllowed
from console.accounts.models import Membership
from console.choices import Level, Role
from tests.connections.flow_steps import allow, authorize, begin, flow_at, words_of

GONE = "Field Service is no longer installed here, or its license has ended."


def license_ends() -> None:
    InstalledConnection.objects.update(ends_at=timezone.now() - timedelta(seconds=1))


def uninstalled() -> None:
    InstalledConnection.objects.all().delete()


def demoted() -> None:
    Membership.objects.filter(role=Role.ADMIN).update(role=Role.USER)


def deactivated() -> None:
    Membership.objects.filter(role=Role.ADMIN).update(deactivated_at=timezone.now())


def removed() -> None:
    Membership.objects.filter(role=Role.ADMIN).delete()


ENDS = [license_ends, uninstalled, demoted, deactivated, removed]


@pytest.fixture
def admin(signed_in, client_people):
    return signed_in(client_people[Role.ADMIN])


@pytest.fixture
def installed(connect, install, admin, oauth_client, alice) -> InstalledConnection:
    """Return a connection that is authorized with alice's account."""
    installed = install(connect())
    authorize(admin, installed, alice)
    return installed


def kept() -> tuple:
    return Authorization.objects.values().get(), Credential.objects.values().get()


@pytest.mark.parametrize("end", ENDS)
def test_a_flow_cannot_be_completed_afterwards(admin, installed, bob, sandbox, end):
    callback = allow(bob, begin(admin, installed))
    before, asked = kept(), sandbox.counts()["token"]
    end()

    response = admin.get(callback, follow=True)

    flow = Flow.objects.latest("created_at")
    assert flow.outcome == Flow.Outcome.FAILED
    words = words_of(response)
    assert flow.problem in words
    assert "Nothing was changed." in words
    expected = (
        GONE
        if end in (license_ends, uninstalled)
        else "no longer allowed to authorize this connection"
    )
    assert expected in flow.problem
    assert kept() == before
    assert sandbox.counts()["token"] == asked


@pytest.mark.parametrize("end", ENDS)
def test_the_permission_is_checked_again_before_the_commit(
    admin, installed, client_people, alice, sandbox, monkeypatch, end
):
    """It ends between the token response and the commit."""
    callback = allow(alice, begin(admin, installed))
    before, store = kept(), granting.store_grant

    def too_late(*args, **kwargs):
        end()
        return store(*args, **kwargs)

    monkeypatch.setattr(authorizing, "store_grant", too_late)
    response = admin.get(callback, follow=True)

    flow = Flow.objects.latest("created_at")
    assert flow.outcome == Flow.Outcome.FAILED
    assert flow.problem in words_of(response)
    assert kept() == before


@pytest.mark.parametrize("end", ENDS)
def test_typed_credentials_are_not_stored_either(client_people, connect, install, network, end):
    network.get("http://localhost:9000/key/api/me", json={"id": 1, "email": "alice@example.com"})
    site = AuthorizationSite.of_installed(install(connect("sandbox_api_key")))
    end()
    with pytest.raises((ServiceError, NotAllowed)):
        granting.store_typed_credential(
            site, client_people[Role.ADMIN], site.environments, {"key": "k-1"}
        )
    assert not Credential.objects.exists()


def test_another_person_cannot_complete_it(signed_in, client_people, installed, admin, bob):
    callback, before = allow(bob, begin(admin, installed)), kept()
    response = signed_in(client_people[Role.SUPER_ADMIN]).get(callback)
    assert response.status_code == 403
    assert "Another person or another browser" in words_of(response)
    assert kept() == before


def test_a_demoted_person_keeps_their_own_authorization(
    admin, connect, install, oauth_client, alice
):
    own = install(connect(level=Level.LOGGED_IN_USER))
    callback = allow(alice, begin(admin, own))
    demoted()
    flow = flow_at(admin.get(callback)["Location"])
    assert flow.outcome == Flow.Outcome.COMPLETED


def test_other_people_cannot_see_the_outcome(signed_in, client_people, installed, developer):
    flow = Flow.objects.get()
    for person in (client_people[Role.SUPER_ADMIN], developer):
        address = reverse("flow_detail", args=[flow.pk])
        assert signed_in(person).get(address).status_code == 404
