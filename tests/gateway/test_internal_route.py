"""What nginx asks the console, without nginx."""

from __future__ import annotations

import hmac
import json
import os
import time
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.core.cache import cache
from django.urls import reverse
from django.utils import timezone

from connections.calls import prepared_call
from connectors.http.ssrf import Destination
from console.gateway import routes
from console.keys import authentication, user_tokens
from console.keys.issuing import create_key
from console.keys.user_tokens import token_for
from console.monitoring.metrics import DROPPED

SECRET = "of-the-tests-" * 4
URL, CALLS = reverse("gateway_route"), reverse("gateway_calls")


@pytest.fixture(autouse=True)
def gateway(settings):
    settings.GATEWAY_SECRET = SECRET
    settings.ALLOWED_PRIVATE_HOSTS = ["localhost:9000"]
    cache.clear()
    caches = (
        authentication._holders, user_tokens._users, prepared_call._prepared, routes._addresses
    )  # fmt: skip
    for each in caches:
        each.clear()
    yield
    for each in caches:
        each.clear()


@pytest.fixture
def key(application, developer):
    return create_key(application, application.organization, "development", developer, "A program")[
        1
    ]


@pytest.fixture
def keyed(connect, grant):
    connection = connect("sandbox_api_key", name="Orders", link_name="orders")
    grant(connection, secret={"key": "the-key-of-alice"})
    return connection


def sealed(document, *, secret=SECRET, path=URL, at=None, nonce=None):
    """Return nonce and request, as nginx writes them."""
    nonce = nonce or os.urandom(32)
    timestamp, iv = b"%010d" % (at or time.time()), os.urandom(12)
    request = hmac.digest(secret.encode(), b"request" + nonce, "sha256")
    text = json.dumps(document).encode()
    return nonce, nonce + timestamp + iv + AESGCM(request).encrypt(
        iv, text, path.encode() + timestamp
    )


def post(client, body, path=URL):
    return client.post(path, body, content_type="application/octet-stream")


def ask(client, document, path=URL):
    nonce, body = sealed(document, path=path)
    response = post(client, body, path)
    assert response.status_code == 200, response.status_code
    answer = hmac.digest(SECRET.encode(), b"answer" + nonce, "sha256")
    content = response.content
    return json.loads(AESGCM(answer).decrypt(content[:12], content[12:], path.encode()))


def question(key, **more):
    return {"key": key, "user": "", "connection": "orders", "rules_version": "", **more}


def route(client, key, **more):
    return ask(client, question(key, **more))["route"]


def test_without_a_secret_the_urls_do_not_exist(client, settings):
    settings.GATEWAY_SECRET = ""
    for path in (URL, CALLS):
        assert post(client, sealed({}, path=path)[1], path).status_code == 404


def test_only_post_is_allowed(client):
    assert client.get(URL).status_code == 405


@pytest.mark.parametrize("body", [b"", b"x", b"x" * 53, b"x" * 54, os.urandom(500), b"{}"])
def test_what_is_not_sealed_is_refused(client, body):
    assert post(client, body).status_code == 403


def test_another_secret_path_or_time_is_refused(client):
    for wrong in ({"secret": "x" * 40}, {"path": CALLS}, {"at": time.time() - 40},
                  {"at": time.time() + 40}):  # fmt: skip
        assert post(client, sealed(question(""), **wrong)[1]).status_code == 403


def test_each_byte_of_a_message_is_authenticated(client):
    _, body = sealed(question(""))
    for place in range(len(body)):
        changed = body[:place] + bytes([body[place] ^ 1]) + body[place + 1 :]
        assert post(client, changed).status_code == 403


@pytest.mark.rows
def test_a_message_that_was_sent_before_is_refused(client, db):
    _, body = sealed(question("no key"))
    assert [post(client, body).status_code for _ in range(3)] == [200, 403, 403]


@pytest.mark.parametrize("document", [[], {}, {"key": 1}, "x", None])
def test_what_is_not_a_question_is_refused(client, document):
    assert post(client, sealed(document)[1]).status_code == 400


def test_a_route_holds_what_nginx_needs(client, key, keyed):
    found = route(client, key)
    assert [port for _, port in found["addresses"]] == [9000] * len(found["addresses"])
    assert found["signature"] == {"X-Api-Key": "the-key-of-alice"}
    assert found["base"].startswith("http://localhost:9000/")
    assert found["proxy_url"] == "http://console.test/api/v1/connections/orders/proxy"
    assert "the-key-of-alice" in found["needles"]
    assert 0 < found["valid_seconds"] <= 1
    assert found["log"]["connection_id"] == str(keyed.pk)


def test_a_route_is_valid_no_longer_than_what_it_was_made_of(client, key, keyed):
    first = route(client, key)["valid_seconds"]
    time.sleep(0.3)
    second = route(client, key)["valid_seconds"]
    assert second <= first - 0.25


def test_the_rules_are_sent_when_they_have_changed(client, key, keyed, settings):
    rules = ask(client, question(key))["rules"]
    assert "rules" not in ask(client, question(key, rules_version=rules["version"]))
    settings.PROXY_SECONDS += 1
    newer = ask(client, question(key, rules_version=rules["version"]))["rules"]
    assert newer["version"] != rules["version"]


def test_a_person_is_part_of_the_route(client, key, keyed, application, developer):
    token = token_for(developer, application, application.organization, "development")
    assert route(client, key, user=token)["log"]["user_id"] == str(developer.pk)
    assert route(client, key)["log"]["user_id"] is None
    assert route(client, key, user="x" + token) is None


def test_wrong_keys_and_connections_have_no_route(client, key, keyed):
    assert route(client, "x") is None
    assert route(client, key, connection="other") is None
    assert route(client, key, connection="../orders") is None
    assert route(client, key) is not None


def test_a_token_that_ends_soon_has_no_route(client, key, connect, grant):
    connection = connect("sandbox_api_key", name="Orders", link_name="orders")
    authorization = grant(connection, secret={"key": "the-key-of-alice"})
    credential = authorization.credential
    for seconds, has_route in ((20, False), (40, True)):
        credential.expires_at = timezone.now() + timedelta(seconds=seconds)
        credential.save()
        prepared_call._prepared.clear()
        assert (route(client, key) is not None) is has_route


def test_a_host_in_a_private_network_has_no_route(client, key, keyed, settings):
    settings.ALLOWED_PRIVATE_HOSTS = []
    assert route(client, key) is None


def test_an_ip_address_over_https_has_no_route(client, key, keyed):
    def of(host, scheme="https"):
        destination = Destination(scheme=scheme, host=host, port=443, authority=host)
        prepared = prepared_call.prepare_call(caller(key), "orders")
        prepared.__dict__["destination"] = destination
        try:
            routes._check_is_plain(prepared)
        except routes.NotPlain:
            return False
        return True

    assert not any(map(of, ("127.0.0.1", "2001:db8::1", "service.example.", "1.2.3.4")))
    assert of("service.example")
    assert of("127.0.0.1", "http")


def caller(key):
    from connections.calls.lookup import Caller
    from console.choices import Environment
    from console.keys.authentication import authenticate_key

    holder = authenticate_key(key)
    return Caller(
        application=holder.application_id,
        organization=holder.organization_id,
        environment=Environment(holder.environment),
        user=None,
    )


def test_lines_of_calls_are_written_to_the_log(client, key, keyed):
    from console.invocations import log_writer
    from console.invocations.models import Invocation

    log_writer.writer._rows.clear()
    about = route(client, key)["log"]
    good = ["GET", "/x", 200, "", 5, 0, 2, 1]
    bad = [[], ["GET"], [*good[:-1], 7], ["GET", "/x", "no", "", 5, 0, 2, 1], "x", None]
    bad.append([*good[:-1], 2])
    told = {"routes": [about, {**about, "environment": "x"}], "lines": [good, *bad], "dropped": 2}
    before = DROPPED._value.get()
    assert ask(client, told, CALLS) == {"taken": 8}
    assert DROPPED._value.get() == before + 2 + len(bad)
    log_writer.writer.write()
    row = Invocation.objects.get()
    assert (row.path, row.status, row.connection_id) == ("/key/api/x", 200, keyed.pk)
