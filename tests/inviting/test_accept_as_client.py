"""An invitation without a role makes an organization a client."""

from __future__ import annotations

import pytest

from console.accounts.models import Organization
from console.audit.models import Event
from console.inviting import accepting
from console.inviting.inviting import InvitationRefused
from tests.inviting.conftest import EMAIL, PASSWORD, the_invitation

PAGE = "/invitations/"


@pytest.fixture
def head(member, stranger_organization):
    """The invited super admin of another organization."""
    return member(stranger_organization, "super_admin", EMAIL)


def test_new_clients_name_their_organization_and_become_super_admin(invite, opened):
    client = opened(invite(role=""))

    answer = client.post(PAGE, {"password": PASSWORD, "client_name": "Plumbers & Sons"})

    assert answer["Location"] == "/"
    made = Organization.objects.get(name="Plumbers & Sons")
    assert (the_invitation().client, made.slug) == (made, "plumbers-sons")
    assert made.memberships.get().role == "super_admin"
    assert not the_invitation().accepted_by.memberships.exclude(organization=made).exists()
    assert {
        (each.organization.slug, each.action)
        for each in Event.objects.filter(actor=the_invitation().accepted_by)
    } >= {("studio", "invitation.accepted"), ("plumbers-sons", "organization.created")}


def test_it_requires_a_name(invite, opened):
    client = opened(invite(role=""))

    assert client.post(PAGE, {"password": PASSWORD, "client_name": " "}).status_code == 422
    assert the_invitation().accepted_at is None


def test_a_name_that_is_taken_gets_another_slug(invite, opened):
    client = opened(invite(role=""))

    client.post(PAGE, {"password": PASSWORD, "client_name": "Studio"})

    assert the_invitation().client.slug == "studio-2"


def test_super_admins_can_choose_their_organization(
    invite, opened, head, signed_in, stranger_organization
):
    client = opened(invite(role=""), signed_in(head))

    assert client.post(PAGE, {"client": stranger_organization.pk})["Location"] == "/"

    assert the_invitation().client == stranger_organization
    assert not head.memberships.filter(organization__slug="studio").exists()


def test_super_admins_can_name_a_new_organization(invite, opened, head, signed_in):
    client = opened(invite(role=""), signed_in(head))

    client.post(PAGE, {"client": "", "client_name": "New"})

    assert the_invitation().client.name == "New"


def test_it_requires_an_organization_or_a_name(invite, opened, head, signed_in):
    client = opened(invite(role=""), signed_in(head))

    assert client.post(PAGE, {}).status_code == 422


def test_it_rejects_organizations_of_others(invite, opened, head, signed_in, studio):
    client = opened(invite(role=""), signed_in(head))
    foreign = Organization.objects.create(name="Foreign", slug="foreign")

    for each in (studio, foreign):
        assert client.post(PAGE, {"client": each.pk}).status_code == 422
    for each, words in ((studio, "of itself"), (foreign, "Only a super admin of Foreign")):
        with pytest.raises(InvitationRefused, match=words):
            accepting.accept(the_invitation(), head, client=each)
    assert the_invitation().accepted_at is None
