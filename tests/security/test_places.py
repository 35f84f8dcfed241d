"""Every place where a URL or host can enter, with every spelling of a private address.

What covers what (security.md X1 to X5, promise 8):

- the spelling of a URL and its addresses: ``tests/connectors/http/test_ssrf.py``
- requests for tokens, checks, runs and webhooks: ``tests/connectors/http/test_http_client.py``
- the proxy's literals, paths, queries, headers and redirects, and 1,000 names that change their
  address: ``tests/runtime/proxy/test_proxy_places.py``
- here: input from people (the wizard, a client's authorization, webhooks, Administration), from
  files (definitions, imports), and from services (callbacks, token responses).

A host name can be accepted on input and refused at the call, because its address can change at any
time. So each test continues to the call. The canary is a server that no request may reach.
"""
# ruff: noqa: F401, F811  (fixtures of other rooms)

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse

from connections.models import Authorization, Connection, Credential, OAuthClient
from connectors.api.check_call import check
from connectors.definitions.loader import DefinitionFaults, read_files
from connectors.definitions.registry import get_connectors
from connectors.definitions.templates import fill_url
from connectors.errors import ServiceError
from connectors.oauth2 import authorization_request, refresh_request, revocation
from connectors.oauth2.client_authentication import ClientCredentials
from connectors.oauth2.token_response import kept_from_callback
from console.applications.launch_url import validate_launch_url
from console.choices import Role
from console.components.json_source import JsonFaults
from console.transfer import importing
from console.webhooks import deliveries, payloads, registration
from console.webhooks.forms import WebhookForm
from console.webhooks.models import Webhook
from tests.connections.flow_steps import words_of
from tests.connections.wizard_answers import name_form, url
from tests.connectors.conftest import listen
from tests.connectors.http.test_http_client import LITERALS
from tests.connectors.http.test_ssrf import PRIVATE, TRICKS
from tests.transfer.files import connection as connection_in_file
from tests.transfer.files import document, text_of


def _written(literal: str) -> str:
    return f"[{literal}]" if ":" in literal and not literal.startswith("[") else literal


HOSTS = list(dict.fromkeys([*LITERALS, *map(_written, PRIVATE)]))
KEY = {"scheme": "https", "username": "guest", "password": "open-sesame-1"}


def test_there_are_enough_of_them() -> None:
    assert len(HOSTS) >= 130


@pytest.fixture
def canary(listen, settings) -> Any:
    """A server that must not be reached; it counts all connections."""
    settings.ALLOWED_PRIVATE_HOSTS = []
    return listen()


@pytest.fixture
def allow(canary, settings) -> Callable[[], str]:
    """Allow the canary as the operator can, as a positive control for each place."""

    def do() -> str:
        settings.ALLOWED_PRIVATE_HOSTS = [f"127.0.0.1:{canary.port}"]
        return f"127.0.0.1:{canary.port}"

    return do


# Input from people


def test_the_wizard(canary, allow, developer_client, connect):
    draft = connect("rabbitmq_management", name="Queue", status="draft", link_name="")
    page = reverse("connection_authorize", args=[draft.pk])

    def go(host: str) -> Any:
        Connection.objects.filter(pk=draft.pk).update(parameters={}, status="draft")
        draft.refresh_from_db()
        form = name_form(draft, parameter_host=host, parameter_scheme="https")
        typed = developer_client.post(url(draft, "name"), form)
        if typed.status_code == 422:
            return typed
        Connection.objects.filter(pk=draft.pk).update(status="created", link_name="queue")
        return developer_client.post(page, KEY)

    for host in HOSTS:
        response = go(f"{host}:{canary.port}")
        assert response.status_code == 422, host
        assert words_of(response)
    assert canary.connections == 0
    assert not Authorization.objects.exists()
    allowed = allow()
    assert "RabbitMQ Management" in words_of(go(allowed))
    assert canary.connections == 1


#: Other spellings of the canary's address, which are normalized before validation.
WRITTEN = [
    "https://{}:{}/",
    "HTTPS://{}.:{}",
    "\ufeff{}:{}\u200b",
]
AS_UNICODE = [
    "127.0.0.1",
    "\uff11\uff12\uff17.\uff10.\uff10.\uff11",
    "127\u30020\u30020\u30021",
    "\u2460\u2461\u2466.0.0.1",
    "LOCALHOST",
    "\u24db\u24de\u24d2\u24d0\u24db\u24d7\u24de\u24e2\u24e3",
    "loca\u00adlhost",
    "169.254.169.254",
    "0x7f.1",
    "\uff10\uff587f.1",
]


@pytest.mark.parametrize("written", WRITTEN)
def test_a_host_is_validated_after_normalization(canary, developer_client, connect, written):
    draft = connect("rabbitmq_management", name="Queue", status="draft", link_name="")
    page = reverse("connection_authorize", args=[draft.pk])
    kept = 0
    for host in AS_UNICODE:
        Connection.objects.filter(pk=draft.pk).update(parameters={}, status="draft")
        draft.refresh_from_db()
        form = name_form(draft, parameter_host=written.format(host, canary.port))
        form["parameter_scheme"] = "https"
        if developer_client.post(url(draft, "name"), form).status_code == 422:
            continue
        kept += 1
        Connection.objects.filter(pk=draft.pk).update(status="created", link_name="queue")
        assert developer_client.post(page, KEY).status_code == 422, host
    assert kept, "none came so far as to be judged"
    assert canary.connections == 0
    assert not Credential.objects.exists()


def test_a_client_who_authorizes(canary, allow, signed_in, client_people, connect, install):
    parameters = {"scheme": "https", "host": "hub.example.com"}
    connection = connect("rabbitmq_management", name="Queue", parameters=parameters)
    page = reverse("installed_authorize", args=[install(connection).pk])
    browser = signed_in(client_people[Role.ADMIN])

    def go(host: str) -> Any:
        form = {"parameter_scheme": "https", "parameter_host": host}
        return browser.post(page, {**form, "username": "guest", "password": "open-sesame-1"})

    for host in HOSTS:
        response = go(f"{host}:{canary.port}")
        assert response.status_code == 422, host
        assert not Credential.objects.exists()
    assert canary.connections == 0
    go(allow())
    assert canary.connections == 1


@pytest.fixture
def hook(application, developer) -> Callable[[str], str]:
    """Store a webhook URL without its form, and return the message of the delivery."""

    def send(address: str) -> str:
        Webhook.objects.all().delete()
        webhook, _ = registration.register(application, address, developer)
        delivery = payloads.test_message(webhook)
        delivery.save()
        assert not deliveries.send_again(delivery)
        delivery.refresh_from_db()
        return delivery.problem

    return send


def test_webhooks(canary, allow, developer_client, application, hook):
    page = reverse("webhook_list", args=[application.pk])
    for host in HOSTS:
        address = f"https://{host}:{canary.port}/"
        # A name is accepted: its address is validated at each delivery.
        assert not WebhookForm({"url": address}).is_valid() or "localhost" in host.lower(), address
        assert not WebhookForm({"url": f"http://{host}:{canary.port}/"}).is_valid(), address
        assert hook(address).endswith((".", "…")), address
    for address in TRICKS:
        if address == address.strip():  # surrounding spaces are removed
            assert not WebhookForm({"url": address}).is_valid(), address
    refused = developer_client.post(page, {"url": "https://169.254.169.254/"})
    assert refused.status_code == 422 and "private network" in words_of(refused)
    assert canary.connections == 0
    assert hook(f"http://{allow()}/")
    assert canary.connections == 1


def test_the_launch_address(canary):
    """Only browsers follow it; the console never calls it."""
    for host in HOSTS:
        for scheme in ("http", "https"):
            address = f"{scheme}://{host}:{canary.port}/"
            try:
                validate_launch_url(address)
            except ValidationError as error:
                assert error.messages[0].startswith("Enter a URL")
            else:
                own = host in {"localhost", "127.0.0.1"}
                assert scheme == "https" or own, address
    # A URL without a valid host is refused.
    for address in TRICKS:
        if address.startswith(("javascript:", "data:", "file:", "ftp:", "gopher:", "//", " ")):
            with pytest.raises(ValidationError):
                validate_launch_url(address)
    assert canary.connections == 0


def test_administration(canary, signed_in, super_admin, studio, connect):
    """An OAuth client is registered for a host; invalid hosts are refused without a call."""
    browser, tried = signed_in(super_admin), False
    for host in HOSTS[::3]:
        form = {
            "connector_slug": "jupyterhub",
            "organization": str(studio.pk),
            "environment": "",
            "host": f"{host}:{canary.port}",
            "client_id": "i",
            "new_client_secret": "the-secret",
        }
        response = browser.post(reverse("admin:connections_oauthclient_add"), form)
        made = OAuthClient.objects.filter(connector_slug="jupyterhub")
        assert (response.status_code == 302) == made.exists(), host
        if made.exists() and not tried:  # a valid host name; authorizing there is refused
            connection = connect("jupyterhub", parameters={"host": form["host"]})
            page = reverse("connection_authorize", args=[connection.pk])
            answer = browser.post(page, {"environments": ["all"]})
            assert answer.status_code in {404, 409, 422, 502}, (host, answer.status_code)
            tried = True
        made.delete()
    assert canary.connections == 0


# Input from files


DEFINITION = """
name = "Acme"
category = "Sandbox"
summary = "A service of this deployment."
documentation = "https://acme.example/docs"
sources = ["https://acme.example/docs"]
read_on = "2026-11-24"
sandbox = true
levels = ["administrator"]
api_base_url = "{api}"
registration = ["Register."]
{check}

[oauth2]
authorization_endpoint = "{authorize}"
token_endpoint = "{token}"

[oauth2.revocation]
endpoint = "{revoke}"
"""
ADDRESSES = ("api", "check", "authorize", "token", "revoke")


@pytest.fixture
def acme(tmp_path) -> Callable[..., Any]:
    """Load a definition with these URLs; the others are unreachable."""

    def define(**addresses: str) -> Any:
        everywhere = dict.fromkeys(ADDRESSES, "https://acme.invalid/x")
        if "check" in addresses:
            everywhere["check"] = f'check = {{ url = "{addresses.pop("check")}" }}'
        else:
            everywhere["check"] = 'check = { path = "/me" }'
        file = tmp_path / "acme.toml"
        file.write_text(DEFINITION.format(**everywhere | addresses))
        connectors, faults = read_files([file], {})
        if faults:
            raise DefinitionFaults(faults)
        return connectors["acme"]

    return define


def _use(connector: Any, place: str) -> None:
    client = ClientCredentials(client_id="i", client_secret="s")
    secret = {"access_token": "a", "refresh_token": "r"}
    if place == "authorize":
        authorization_request.authorization_url(
            connector, client_id="i", redirect_uri="https://c.example/", scopes=(), state="s",
            code_verifier=None, values={},
        )  # fmt: skip
    elif place == "token":
        refresh_request.refresh(connector, client=client, refresh_token="r", values={})
    elif place == "revoke":
        revocation.revoke(connector, client=client, tokens=secret, values={}).raise_refusal()
    else:
        check(connector, "oauth2", secret=secret, values={})


@pytest.mark.parametrize("place", ["api", "authorize", "token", "revoke", "check"])
def test_definitions_of_the_operator(canary, allow, acme, place):
    """Each is refused when it is loaded or when it is used."""
    refused = 0
    for host in HOSTS:
        try:
            connector = acme(**{place: f"https://{host}:{canary.port}/x"})
        except DefinitionFaults as error:
            assert "acme.toml" in str(error)
            refused += 1
            continue
        if place == "authorize" and "localhost" in host.lower():
            refused += 1  # a browser is redirected there and resolves the name itself
            continue
        with pytest.raises(ServiceError) as caught:
            _use(connector, place)
        assert str(caught.value).endswith(".")
        refused += 1
    assert refused == len(HOSTS)
    assert canary.connections == 0
    connector = acme(**{place: f"http://{allow()}/x"})
    if place == "authorize":
        _use(connector, place)  # a browser would be redirected there
        return
    with pytest.raises(ServiceError):
        _use(connector, place)
    assert canary.connections == 1


def test_imported_files(canary, studio, super_admin, developer_client):
    """Imported values follow the rules of the wizard, and importing makes no call."""

    def brought(host: str) -> str:
        connection = connection_in_file(
            "Queue", connector="rabbitmq_management", auth_type="basic", scopes=[],
            parameters={"scheme": "https", "host": host},
        )  # fmt: skip
        return text_of(document(connections=[connection], components=[]))

    taken = []
    for host in HOSTS:
        try:
            importing.read(brought(f"{host}:{canary.port}"))
        except JsonFaults as faults:
            assert "invalid value" in str([each.message for each in faults.faults])
        else:
            taken.append(f"{host}:{canary.port}")
    assert taken
    for host in taken[:5]:  # stored as if typed in; the wizard's test covers all of them
        application = importing.import_application(brought(host), studio, super_admin)
        page = reverse("connection_authorize", args=[application.connections.get().pk])
        assert developer_client.post(page, KEY).status_code in {404, 422}, host
    assert canary.connections == 0


# Input from services


def _zoho(**query: str) -> Any:
    return kept_from_callback(get_connectors()["zoho_crm"], query, {"data_center": "zoho.com"})


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_callbacks(canary, scheme):
    for host in [*HOSTS, "evil.example", "accounts.zoho.com@127.0.0.1", "accounts.zoho.com#"]:
        for suffix in ("", f":{canary.port}", "/", "?x=accounts.zoho.com"):
            with pytest.raises(ServiceError, match="not one of its own addresses"):
                _zoho(**{"accounts-server": f"{scheme}://{host}{suffix}"})
    assert _zoho(**{"accounts-server": "https://accounts.zoho.eu"})
    assert canary.connections == 0


@pytest.mark.parametrize(
    ("slug", "name", "right", "values"),
    [
        (
            "salesforce",
            "instance_url",
            "https://acme.my.salesforce.com",
            {"login_host": "login.salesforce.com"},
        ),
        (
            "zoho_crm",
            "api_domain",
            "https://www.zohoapis.eu",
            {"data_center": "zoho.eu", "accounts_server": "https://accounts.zoho.eu"},
        ),
    ],
)
def test_token_answers(canary, network, settings, slug, name, right, values):
    settings.ALLOWED_PRIVATE_HOSTS = []
    connector = get_connectors()[slug]
    client = ClientCredentials(client_id="i", client_secret="s")

    def renew(value: Any) -> Any:
        network.reset()
        network.post(
            fill_url(connector.oauth2.token_endpoint, values),
            json={"access_token": "a", "refresh_token": "r", name: value},
        )
        return refresh_request.refresh(connector, client=client, refresh_token="r", values=values)

    for host in HOSTS:
        for address in (f"https://{host}", f"http://{host}:{canary.port}", host):
            with pytest.raises(ServiceError, match="not one of its own addresses"):
                renew(address)
    assert renew(right).kept[name] == right
    assert canary.connections == 0
