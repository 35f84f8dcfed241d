from __future__ import annotations

import pytest
from django.urls import reverse

from connections.calls.invoking import invoke
from connections.calls.missing_scope import missing_scopes
from connectors.definitions.registry import get_connector
from tests.connections.call_helpers import API, get, state_of
from tests.connections.flow_steps import words_of

CHALLENGE = 'Bearer realm="Sandbox", error="insufficient_scope", scope="orders.write"'


@pytest.mark.parametrize(
    ("status", "challenge", "body", "expected"),
    [
        (403, CHALLENGE, {}, ("orders.write",)),
        (401, CHALLENGE, {}, ("orders.write",)),
        (200, CHALLENGE, {}, ()),
        (
            403,
            'Bearer error="insufficient_scope", scope="contacts.read orders.write"',
            {},
            ("orders.write",),
        ),
        (403, 'Bearer error="insufficient_scope"', {}, ()),
        (403, 'Bearer error="invalid_token", scope="orders.write"', {}, ()),
        (403, 'Bearer error="insufficient_scope", x_scope="orders.write"', {}, ()),
        (403, CHALLENGE.replace("orders.write", "made.up"), {}, ()),
        (403, CHALLENGE.replace("orders.write", "contacts.read"), {}, ()),
        (403, "", {"error": "forbidden", "message": "needs orders.write"}, ()),
        (
            200,
            "",
            {"error": "missing_scope", "needed": "orders.write,orders.read"},
            ("orders.write", "orders.read"),
        ),
        (200, "", {"error": "missing_scope", "needed": ["orders.write"]}, ()),
        (200, "", ["missing_scope"], ()),
        (403, "", "missing_scope", ()),
    ],
)
def test_only_what_the_answer_names(status, challenge, body, expected):
    oauth2 = get_connector("sandbox").oauth2
    found = missing_scopes(oauth2, ["contacts.read"], status, {"www-authenticate": challenge}, body)
    assert found == expected
    assert missing_scopes(None, [], status, {"www-authenticate": challenge}, body) == ()


def test_a_run_leads_to_the_permissions(network, developer_client, connect, grant):
    connection = connect(scopes=["contacts.read"])
    grant(connection)
    network.get(f"{API}/api/orders", json={}, status=403, headers={"WWW-Authenticate": CHALLENGE})
    exchange = invoke(get("/orders"), state_of(connection))
    assert exchange.missing_scopes == ("orders.write",)
    page = reverse("connection_permissions", args=[connection.pk])
    assert (exchange.fix_url, exchange.fix_label) == (
        f"{page}?add=orders.write",
        "Change permissions",
    )
    response = developer_client.get(exchange.fix_url)
    assert "orders.write is selected" in words_of(response)
    assert set(response.context["form"].initial["scopes"]) == {"contacts.read", "orders.write"}
    other = developer_client.get(f"{page}?add=made.up&add=contacts.read")
    assert other.context["added"] == []


def test_what_is_asked_for_already_needs_an_authorization(network, connect, grant):
    connection = connect(scopes=["orders.write"])
    grant(connection, scopes_granted=["contacts.read"])
    network.get(f"{API}/api/orders", json={}, status=403, headers={"WWW-Authenticate": CHALLENGE})
    exchange = invoke(get("/orders"), state_of(connection))
    assert exchange.fix_label == "Reauthorize"
    assert exchange.fix_url.startswith(reverse("connection_authorize", args=[connection.pk]))
