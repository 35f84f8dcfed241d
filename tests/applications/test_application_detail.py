from __future__ import annotations

import re
from html import unescape
from urllib.parse import urljoin

from django.urls import reverse

from console.applications.models import Application
from tests.connections.flow_steps import words_of


def test_it_works(developer_client, application, connect, studio):
    other = Application.objects.create(organization=studio, name="Zeppelin", link_name="zeppelin")
    connect(name="Leads", link_name="all_leads")
    connect(name="Elsewhere", application=other)
    connect("slack", name="A draft", status="draft")
    page = words_of(developer_client.get(application.get_absolute_url()))
    assert "Leads" in page
    assert "all_leads" in page  # programs name it so
    assert "Elsewhere" not in page
    assert "A draft" not in page


def test_without_connections_it_offers_the_first(developer_client, application):
    page = words_of(developer_client.get(application.get_absolute_url()))
    assert "No connections yet" in page


def test_the_pages_lead_to_every_row(developer_client, application, connect):
    for number in range(30):
        connect(name=f"Number {number:02}")
    address, seen = application.get_absolute_url(), set()
    while address:
        page = developer_client.get(address).content.decode()
        seen |= set(re.findall(r"Number \d\d", page))
        older = re.search(r'href="([^"]*)" rel="next"', page)
        address = urljoin(address, unescape(older[1])) if older else ""
    assert len(seen) == 30


def test_it_leads_to_the_map(developer_client, application, build):
    build("Find people")
    page = developer_client.get(application.get_absolute_url()).content.decode()
    assert f'href="{reverse("application_map", args=[application.link_name])}"' in page


def test_it_says_what_is_not_published(developer_client, application, build):
    build("Find people")
    assert "1 component changed" in words_of(developer_client.get(application.get_absolute_url()))


def test_without_components_it_offers_the_first(developer_client, application):
    assert "No components yet" in words_of(developer_client.get(application.get_absolute_url()))


def test_a_thousand_components_take_as_many_queries_as_ten(
    developer_client, application, connect, build, django_assert_max_num_queries
):
    people = connect(name="People")
    for number in range(40):
        build(f"Find {number}", people)
    with django_assert_max_num_queries(14):
        developer_client.get(application.get_absolute_url())


def test_who_may_publish_finds_the_way(developer_client, application, build, may_publish):
    build("Find people")
    page = developer_client.get(application.get_absolute_url())
    assert f"/applications/{application.pk}/publish/" in page.content.decode()
    assert f"/applications/{application.pk}/releases/" in page.content.decode()
    assert "You have no right" not in words_of(page)


def test_who_may_not_publish_reads_who_can(developer_client, application, build):
    build("Find people")
    page = developer_client.get(application.get_absolute_url())
    assert f"/applications/{application.pk}/publish/" not in page.content.decode()
    assert f"/applications/{application.pk}/releases/" not in page.content.decode()
    assert "A super admin of Studio can publish it, or give you the right" in words_of(page)
