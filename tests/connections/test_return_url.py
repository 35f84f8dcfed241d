"""An authorization that began on another page, such as Publish, leads back to it."""

from __future__ import annotations

import pytest
from django.urls import reverse

from connections.models import Flow
from tests.connections.flow_steps import authorize, begin, words_of

HERE = "/apps/field_service/publish/?tick=a&tick=b"


def test_the_waiting_page_goes_back_after_success(developer_client, connect, oauth_client, alice):
    flow = authorize(developer_client, connect(), alice, next=HERE)
    assert flow.return_url == HERE
    status = reverse("flow_status", args=[flow.pk])
    response = developer_client.get(status, headers={"hx-request": "true"})
    assert response["HX-Redirect"] == HERE
    page = developer_client.get(flow.get_absolute_url())
    assert 'data-next="/apps/field_service/publish/?tick=a&amp;tick=b"' in page.content.decode()
    assert "Back to where you were" in words_of(page)


def test_it_stays_after_a_failure_and_trying_again_keeps_it(
    developer_client, connect, oauth_client
):
    begin(developer_client, connect(), next=HERE)
    Flow.objects.get().connection.flows.stop("Refused.")
    flow = Flow.objects.get()
    status = reverse("flow_status", args=[flow.pk])
    response = developer_client.get(status, headers={"hx-request": "true"})
    assert "HX-Redirect" not in response
    assert "&amp;next=%2Fapps%2Ffield_service" in response.content.decode()


def test_a_typed_credential_leads_back(developer_client, connect, sandbox):
    connection = connect("sandbox_api_key")
    page = reverse("connection_authorize", args=[connection.pk])
    assert f'value="{HERE.replace("&", "&amp;")}"' in (
        developer_client.get(page, {"next": HERE}).content.decode()
    )
    form = {"key": sandbox.demo_password, "next": HERE}
    assert developer_client.post(page, form)["Location"] == HERE


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example/",
        "javascript:alert(1)",
        "elsewhere/",
        "/" + "x" * 5_000,
    ],
)
def test_it_leads_to_no_other_site(developer_client, connect, oauth_client, elsewhere):
    connection = connect()
    page = reverse("connection_authorize", args=[connection.pk])
    assert 'name="next"' not in developer_client.get(page, {"next": elsewhere}).content.decode()
    begin(developer_client, connection, next=elsewhere)
    assert Flow.objects.get().return_url == ""
