from __future__ import annotations

import uuid

import pytest
from django.urls import reverse

from connections.models import Authorization, Connection, Credential
from console.applications.models import Application
from console.choices import Level, Role
from tests.connections.flow_steps import authorize, words_of

pytestmark = pytest.mark.usefixtures("oauth_client")


@pytest.fixture
def first(connect, developer_client, alice) -> Connection:
    """Return a connection that is authorized as alice."""
    connection = connect(scopes=["contacts.read", "orders.read"])
    authorize(developer_client, connection, alice)
    return connection


def reuse(client, connection: Connection, credential: object, **form: object):
    address = reverse("connection_reuse", args=[connection.pk])
    return client.post(address, {"credential": str(credential)} | form, follow=True)


def credential_of(connection: Connection) -> Credential:
    return connection.authorizations.get().credential


def test_it_works(developer_client, connect, first, sandbox):
    second = connect(scopes=["contacts.read"])
    asked = sandbox.counts()["token"]
    page = words_of(developer_client.get(reverse("connection_authorize", args=[second.pk])))
    assert "alice@example.com" in page

    response = reuse(developer_client, second, credential_of(first).pk)

    assert "is authorized as alice@example.com" in words_of(response)
    assert credential_of(second) == credential_of(first)
    assert sandbox.counts()["token"] == asked, "nobody is asked for consent again"


def test_revoking_one_keeps_the_other(developer_client, connect, first, sandbox):
    second = connect(scopes=["contacts.read"])
    reuse(developer_client, second, credential_of(first).pk)

    revoke = reverse("authorization_revoke", args=[first.authorizations.get().pk])
    page = words_of(developer_client.post(revoke, follow=True))

    assert "stays connected" in page
    assert sandbox.counts()["revoke"] == 0
    test = reverse("authorization_test", args=[second.authorizations.get().pk])
    assert "It works" in words_of(developer_client.post(test, follow=True))


def test_reusing_revokes_the_unused_credential(developer_client, connect, first, bob):
    second = connect(scopes=["contacts.read"])
    authorize(developer_client, second, bob)
    reuse(developer_client, second, credential_of(first).pk)
    assert Credential.objects.count() == 1


def test_it_serves_the_environments_that_were_chosen(developer_client, connect, first):
    second = connect(scopes=["contacts.read"], separate_environments=True)
    reuse(
        developer_client,
        second,
        credential_of(first).pk,
        environments=["development", "stage", "production"],
    )
    environments = second.authorizations.values_list("environment", flat=True)
    assert sorted(environments) == ["development", "stage"]


@pytest.mark.parametrize("chosen", ["", "x", "\0", str(uuid.UUID(int=0))])
def test_it_refuses_a_credential_that_it_did_not_offer(developer_client, connect, first, chosen):
    second = connect(scopes=["contacts.read"])
    assert "can no longer be used" in words_of(reuse(developer_client, second, chosen))
    assert not second.authorizations.exists()


def test_it_refuses_a_credential_with_fewer_permissions(developer_client, connect, first):
    second = connect(scopes=["contacts.read", "orders.write"])
    reuse(developer_client, second, credential_of(first).pk)
    assert not second.authorizations.exists()


def test_it_refuses_a_credential_that_is_revoked_at_the_service(developer_client, connect, first):
    second = connect(scopes=["contacts.read"])
    Authorization.objects.update(state=Authorization.State.NEEDS_AUTHORIZATION)
    reuse(developer_client, second, credential_of(first).pk)
    assert not second.authorizations.exists()


def test_it_refuses_the_account_of_a_colleague(
    developer_client, connect, alice, signed_in, member, studio
):
    own = connect(level=Level.LOGGED_IN_USER)
    authorize(developer_client, own, alice)
    shared = connect()
    colleague = signed_in(member(studio, Role.DEVELOPER, "colleague@studio.example"))
    for connection in (own, shared):
        reuse(colleague, connection, credential_of(own).pk)
    assert Authorization.objects.count() == 1


def test_it_refuses_the_account_of_another_organization(
    developer_client, connect, first, stranger, stranger_organization, signed_in
):
    theirs = Application.objects.create(
        organization=stranger_organization, name="Theirs", link_name="theirs"
    )
    connection = connect(application=theirs, created_by=stranger, scopes=["contacts.read"])
    reuse(signed_in(stranger), connection, credential_of(first).pk)
    assert not connection.authorizations.exists()


def test_it_refuses_an_account_at_another_host(developer_client, connect, grant):
    host = {"scheme": "https", "host": "one.example.com"}
    first = connect("rabbitmq_management", parameters=host)
    grant(first)
    second = connect("rabbitmq_management", parameters=host | {"host": "two.example.com"})
    reuse(developer_client, second, credential_of(first).pk)
    assert not second.authorizations.exists()
