"""The page of an application's map: what works where, groups, search, and the list for phones."""

from __future__ import annotations

import pytest
from django.urls import reverse

from tests.connections.flow_steps import words_of


@pytest.fixture
def url(application) -> str:
    return reverse("application_map", args=[application.link_name])


def test_it_draws_the_map_with_the_state_in_each_environment(
    developer_client, url, connect, build, grant
):
    people = connect(name="People", separate_environments=True)
    build("Find people", people)
    grant(people, environment="development")
    page = developer_client.get(url)
    words = words_of(page)
    assert "<svg" in page.content.decode()
    assert "Development: authorized as alice@example.com" in words
    assert "Stage: not authorized" in words
    assert "1 connection does not work in Stage yet: People" in words
    assert "Called by Find people." in words


def test_it_zooms_without_scripts(developer_client, url, build, connect):
    build("Find people", connect(name="People"))
    page = developer_client.get(url, {"zoom": "200"}).content.decode()
    assert 'width="1920"' in page
    assert f'href="{url}?zoom=50"' in page


def test_the_list_has_no_picture(developer_client, url, build, connect):
    build("Find people", connect(name="People"))
    page = developer_client.get(url, {"view": "list"})
    assert "map-scroll" not in page.content.decode()
    assert "Called by Find people." in words_of(page)


def test_it_finds_one_component(developer_client, url, build, connect):
    build("Find people", connect(name="People"))
    build("Send mail", connect("slack", name="Mail"))
    words = words_of(developer_client.get(url, {"find": "send"}))
    assert "Called by Send mail." in words
    assert "Called by Find people." not in words
    assert "Nothing found" in words_of(developer_client.get(url, {"find": "<b>none"}))


def test_an_empty_application_says_what_to_do(developer_client, url):
    words = words_of(developer_client.get(url))
    assert "Nothing to draw yet" in words
    assert "Create a component" in words


def test_the_page_stays_small_and_takes_few_queries(
    developer_client, url, build, connect, django_assert_max_num_queries
):
    for number in range(30):
        build(f"Find {number}", connect(name=f"People {number}"))
    with django_assert_max_num_queries(15):
        page = developer_client.get(url)
    assert page.content.count(b"map-box") == 2  # all components, and all connections


def test_for_another_organization_it_does_not_exist(signed_in, stranger, url):
    assert signed_in(stranger).get(url).status_code == 404
