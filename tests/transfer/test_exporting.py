"""The content of an export, which never includes secrets."""

from __future__ import annotations

import json

from connections.models import Connection, OAuthClient
from console.transfer.exporting import export
from console.transfer.importing import read

CANARY = "canary-that-no-file-may-hold"


def test_it_works(application, connect, build):
    connect(name="Alerts", link_name="alerts")
    build("tell", '{"calls": [{"connection": "alerts", "path": "/x"}]}')

    text = export(application)

    held = json.loads(text)
    assert text.endswith("}\n")
    assert (held["format"], held["schema"]) == ("developer-console/application", 1)
    assert held["application"] == {"name": "Field Service", "link_name": "field_service"}
    assert [each["link_name"] for each in held["connections"]] == ["alerts"]
    assert [each["link_name"] for each in held["components"]] == ["tell"]


def test_it_can_be_read_again(application, connect, build):
    connect(link_name="alerts")
    build("tell", '{"calls": [{"connection": "alerts", "path": "/x"}]}')
    assert read(export(application)).link_name == "field_service"


def test_an_empty_application_can_be_exported(application):
    assert read(export(application)).components == {}


def test_it_keeps_the_order_of_keys(application, build):
    build("page", '{"zebra": 1, "ant": {"wasp": 2, "bee": 3}}', kind="page")
    text = export(application)
    assert text.index("zebra") < text.index("ant") < text.index("wasp") < text.index("bee")


def test_it_writes_letters_as_they_are(application, build):
    build("page", '{"title": "Größe \\u00e9 — 日本"}', kind="page")
    assert "Größe é — 日本" in export(application)


def test_it_includes_unreferenced_connections(application, connect):
    connect(link_name="spare")
    assert '"spare"' in export(application)


def test_it_leaves_drafts_out(application, connect):
    connect(name=CANARY, link_name="", status=Connection.Status.DRAFT)
    assert CANARY not in export(application)


def test_it_holds_nothing_secret(application, connect, grant, build):
    OAuthClient.objects.create(
        connector_slug="sandbox", client_id=f"{CANARY}-id", client_secret=CANARY
    )
    for auth in ("sandbox", "sandbox_basic", "sandbox_api_key"):
        grant(
            connect(auth),
            label=f"{CANARY}@example.com",
            account_id=f"{CANARY}-account",
            secret={"access_token": f"{CANARY}-token", "refresh_token": f"{CANARY}-refresh"},
            kept={"where": f"{CANARY}-kept"},
        )
    text = export(application)
    assert CANARY not in text
    assert len(json.loads(text)["connections"]) == 3


def test_it_holds_no_key_of_the_database(application, connect, build, developer):
    connection, component = connect(), build("page", "{}", kind="page")
    text = export(application)
    for row in (application, application.organization, connection, component, developer):
        assert str(row.pk) not in text
        assert row.pk.hex not in text
    assert developer.email not in text


def test_the_same_application_gives_the_same_bytes(application, connect, build):
    connect("zoho_crm", parameters={"data_center": "zoho.eu"}, scopes=["b", "a"], link_name="crm")
    build("b", "{}", kind="page")
    build("a", "{}", kind="page")
    once = export(application)
    application.refresh_from_db()
    assert export(application) == once


def test_the_order_of_parameters_does_not_matter(application, connect):
    connection = connect(parameters={"b": "1", "a": "2"})
    once = export(application)
    connection.parameters = {"a": "2", "b": "1"}
    connection.save()
    assert export(application) == once


def test_it_takes_two_queries(application, connect, build, django_assert_num_queries):
    for number in range(30):
        connect(link_name=f"c{number}")
        build(f"page_{number}", "{}", kind="page")
    with django_assert_num_queries(2):
        export(application)
