from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse

from connections.models import Connection, Tag
from connections.setup.tagging import add_tags, remove_tags, set_tags
from console.accounts.authority import NotAllowed
from console.audit.models import Event
from console.choices import Role
from tests.connections.flow_steps import words_of


@pytest.fixture
def orders(connect):
    return connect("sandbox", name="Orders")


def edit(client, connection, **values):
    page = reverse("connection_edit", args=[connection.pk])
    seen = client.get(page).context["seen"]
    data = {"description": "", "tags": "", "owner": connection.owner_id, "seen": seen, **values}
    return client.post(page, data)


def tags_of(connection):
    return [tag.name for tag in connection.tags.all()]


def test_the_creator_owns_it(orders, developer):
    assert orders.owner == developer


def test_it_saves_description_tags_and_owner(developer_client, orders, super_admin):
    was = orders.updated_at
    response = edit(
        developer_client,
        orders,
        description="Orders of the shop\r\nAsk Ann first",
        tags="Billing, EU ,billing",
        owner=super_admin.pk,
    )
    assert response.status_code == 303
    orders.refresh_from_db()
    assert orders.description == "Orders of the shop\nAsk Ann first"
    assert tags_of(orders) == ["billing", "eu"]
    assert orders.owner == super_admin
    assert orders.updated_at == was
    page = words_of(developer_client.get(orders.get_absolute_url()))
    assert "Ask Ann first" in page
    assert "billing eu" in page
    assert Event.objects.count() == 3


@pytest.mark.parametrize(
    "values",
    [
        {"tags": "x" * 41},
        {"tags": "nul\0"},
        {"tags": "a\u202eb"},
        {"tags": ",".join(f"t{n}" for n in range(21))},
        {"description": "x" * 501},
        {"description": "nul\0"},
        {"owner": "nobody"},
    ],
)
def test_it_refuses_bad_values(developer_client, orders, values):
    assert edit(developer_client, orders, **values).status_code == 422
    assert not Event.objects.exists()


def test_only_people_who_can_change_it_can_own_it(
    developer_client, member, studio, stranger, orders
):
    for person in (stranger, member(studio, Role.USER), member(studio, Role.ADMIN)):
        assert edit(developer_client, orders, owner=person.pk).status_code == 422


def test_an_owner_who_left_can_stay(developer_client, member, studio, orders):
    gone = member(studio, Role.USER)
    Connection.objects.update(owner=gone)
    orders.refresh_from_db()
    assert edit(developer_client, orders, description="New").status_code == 303


def test_a_change_in_between_is_shown(developer_client, developer, orders):
    page = reverse("connection_edit", args=[orders.pk])
    seen = developer_client.get(page).context["seen"]
    set_tags(orders, ["theirs"], developer)
    data = {"description": "", "tags": "mine", "owner": developer.pk, "seen": seen}
    response = developer_client.post(page, data)
    assert response.status_code == 409
    assert "Saved now: theirs Yours: mine" in words_of(response)
    assert tags_of(orders) == ["theirs"]
    again = developer_client.post(page, data | {"seen": response.context["seen"]})
    assert again.status_code == 303
    assert tags_of(orders) == ["mine"]


def test_tags_are_added_and_removed(orders, developer):
    assert set_tags(orders, ["a", "b"], developer)
    assert not set_tags(orders, ["B", "a "], developer)
    assert add_tags(orders, ["c"], developer)
    assert remove_tags(orders, ["a", "x"], developer)
    assert tags_of(orders) == ["b", "c"]
    with pytest.raises(ValidationError):
        add_tags(orders, (f"t{n}" for n in range(19)), developer)
    assert tags_of(orders) == ["b", "c"]


def test_strangers_cannot(orders, stranger):
    with pytest.raises(NotAllowed):
        set_tags(orders, ["a"], stranger)
    assert not Tag.objects.exists()


def test_the_list_filters_by_tag(
    developer_client, connect, orders, developer, stranger_organization
):
    connect("sandbox", name="Other")
    page = reverse("connection_list")
    assert "Tag" not in words_of(developer_client.get(page))
    set_tags(orders, ["billing"], developer)
    Tag.objects.create(organization=stranger_organization, name="secret")

    def listed(**query):
        response = developer_client.get(page, query)
        return [row.name for row in response.context["page"].rows]

    assert listed(tag="billing") == ["Orders"]
    assert listed(q="BILL") == ["Orders"]
    assert listed(tag="secret") == ["Other", "Orders"]
    assert "secret" not in words_of(developer_client.get(page))
