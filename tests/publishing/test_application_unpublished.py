"""The page of an application loads the comparison with Stage afterwards; a link does the same."""

from __future__ import annotations

from django.urls import reverse

from console.components.models import Component
from tests.connections.flow_steps import words_of

HTMX = {"HTTP_HX_REQUEST": "true"}


def test_the_page_reads_no_definition(developer_client, application, build, publish, may_publish):
    build("Find people")
    publish("find_people")
    Component.objects.update(definition="not read")
    response = developer_client.get(application.get_absolute_url())
    url = reverse("application_unpublished", args=[application.link_name])
    assert f'hx-get="{url}"' in response.content.decode()
    assert f'href="{url}"' in response.content.decode()


def test_the_part_says_how_many_components_differ(
    developer_client, application, build, publish, may_publish
):
    build("Find people")
    build("Find places")
    publish("find_people")
    url = reverse("application_unpublished", args=[application.link_name])
    part = developer_client.get(url, **HTMX).content.decode()
    assert "1 component changed" in part
    assert f'href="{reverse("publish", args=[application.pk])}"' in part
    assert "<html" not in part
    assert "hx-get" not in part  # it would load itself again
    publish("find_places")
    assert "All changes are in Stage" in developer_client.get(url, **HTMX).content.decode()


def test_without_scripts_it_is_the_whole_page(
    developer_client, application, build, publish, may_publish
):
    build("Find people")
    publish("find_people")
    Component.objects.all().delete()
    url = reverse("application_unpublished", args=[application.link_name])
    page = words_of(developer_client.get(url))
    assert "1 component changed" in page
    assert "No components yet" in page


def test_it_hides_from_strangers(client, stranger, application):
    client.force_login(stranger)
    url = reverse("application_unpublished", args=[application.link_name])
    assert client.get(url).status_code == 404
