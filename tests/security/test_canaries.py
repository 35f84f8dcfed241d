"""Store a canary in every secret field, then search every output for it.

Everything that the console stores and shows is searched for six encodings of each secret
(security.md K1, K6 to K8, promise 6), except where a secret is supposed to appear: in requests to
the service, and once on the page of the person who created it.
"""
# ruff: noqa: F401, F811  (fixtures of other rooms)

from __future__ import annotations

import base64
import io
import json
import logging
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
import responses
from django.core import mail
from django.core.management import call_command
from django.db import connection as database
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from connections.models import Credential, Flow, OAuthClient
from console.audit.models import Event
from console.invocations.log_writer import writer
from console.keys.models import TokenKey
from console.keys.user_tokens import token_for
from console.monitoring.logs import configuration
from console.transfer.exporting import export
from tests.connections.flow_steps import begin, state_of
from tests.inviting.conftest import invite, mail_server
from tests.runtime.proxy.conftest import (
    key_of,
    new_program,
    nothing_was_called_lately,
    program,
)
from tests.runtime.proxy.program import PythonPath

API = "http://localhost:9000"
#: Secrets of services and people: long, with characters that have several encodings.
CANARIES = {
    name: f"canary/{name}+7d1f~never:to=be&seen"
    for name in (
        "client-secret", "access-1", "access-2", "refresh-1", "refresh-2", "basic-password",
        "api-key", "query-key",
    )
}  # fmt: skip
PASSWORD = "canary-password-7d1f-never-seen"


def spellings(secret: str) -> dict[str, bytes]:
    """Encode a secret in six ways; for base64, the part that does not depend on the offset."""
    raw = secret.encode()
    return {
        "raw": raw,
        "base64": base64.b64encode(raw)[: len(raw) // 3 * 4],
        "base64url": base64.urlsafe_b64encode(raw)[: len(raw) // 3 * 4],
        "hex": raw.hex().encode(),
        "url": quote(secret, safe="").encode(),
        "utf-16": secret.encode("utf-16-le"),
    }


def found(places: dict[str, bytes], secrets: dict[str, str]) -> list[tuple[str, str, str]]:
    return [
        (place, name, how)
        for place, content in places.items()
        for name, secret in secrets.items()
        for how, spelling in spellings(secret).items()
        if spelling in content or spelling.lower() in content.lower()
    ]


def dump() -> bytes:
    """Return every value of every table, as bytes and as text."""
    values: list[bytes] = []
    with database.cursor() as cursor:
        for table in database.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {database.ops.quote_name(table)}")
            for row in cursor.fetchall():
                for value in row:
                    if isinstance(value, bytes | memoryview):
                        values.append(bytes(value))
                    else:
                        values.append(str(value).encode("utf-8", "surrogatepass"))
    return b"\n".join(values)


@pytest.fixture
def data_path() -> PythonPath:
    """For the nginx path see tests/gateway/test_gateway_secrets.py."""
    return PythonPath()


@pytest.fixture
def log(settings) -> Iterator[io.StringIO]:
    """Capture the log at DEBUG in the format of production."""
    stream, root = io.StringIO(), logging.getLogger()
    parts = configuration(form="json", level="DEBUG")
    formatter = dict(parts["formatters"]["console"])
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter.pop("()")(**formatter))
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield stream
    root.removeHandler(handler)
    root.setLevel(before)


@pytest.fixture
def service() -> Iterator[responses.RequestsMock]:
    """A service that repeats the request in each response."""

    def echo(request: Any) -> tuple[int, dict[str, str], str]:
        said = f"{request.url} {dict(request.headers)} {request.body}"
        return 400, {}, json.dumps({"error": "invalid_request", "error_description": said})

    def tokens(request: Any) -> tuple[int, dict[str, str], str]:
        first = "grant_type=authorization_code" in str(request.body)
        number = "1" if first else "2"
        answer = {
            "access_token": CANARIES[f"access-{number}"],
            "refresh_token": CANARIES[f"refresh-{number}"],
            "token_type": "Bearer",
            "expires_in": 3600,
            "scope": "profile.read contacts.read",
        }
        return 200, {}, json.dumps(answer)

    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        mock.add_callback("POST", f"{API}/oauth/token/", tokens)
        mock.get(f"{API}/api/me", json={"id": "1", "email": "alice@example.com"})
        for way in ("basic/", "key/"):
            mock.get(f"{API}/{way}api/me", json={"id": "1", "email": "alice@example.com"})
        mock.add_callback("GET", f"{API}/api/contacts", echo)
        mock.get(f"{API}/api/broken", body=RuntimeError("Nobody has thought of this."))
        mock.add_callback("POST", f"{API}/oauth/revoke/", echo)
        mock.add_callback("POST", "https://hooks.example.com/x", echo)
        mock.echo = echo  # type: ignore[attr-defined]
        yield mock


def test_no_secret_is_exposed_anywhere(
    service, log, settings, developer, super_admin, signed_in, application, connect, build,
    program, studio, invite,
):  # fmt: skip
    settings.ALLOWED_PRIVATE_HOSTS = ["localhost:9000"]
    settings.METRICS_TOKEN = "canary-metrics-token-7d1f"
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    seen: dict[str, bytes] = {}
    secrets = CANARIES | {"metrics": settings.METRICS_TOKEN, "password": PASSWORD}

    def look(name: str, response: Any) -> Any:
        content = b"".join(response) if response.streaming else response.content
        seen[name] = content + str(dict(response.items())).encode()
        return response

    # Enter every secret once, where people and services provide it.
    developer.set_password(PASSWORD)
    developer.save()
    for typed in (PASSWORD, PASSWORD + "x"):
        who = {"login": developer.email, "password": typed}
        look(f"sign in {len(typed)}", Client().post(reverse("account_login"), who))
    browser, admin = signed_in(developer), signed_in(super_admin)
    browser.raise_request_exception = admin.raise_request_exception = False
    form = {"connector_slug": "sandbox", "organization": str(studio.pk), "environment": ""}
    form |= {"host": "", "client_id": "the-id", "new_client_secret": CANARIES["client-secret"]}
    look("client", admin.post(reverse("admin:connections_oauthclient_add"), form))
    oauth = OAuthClient.objects.get()
    basic = connect("sandbox_basic", name="Basic", link_name="basic")
    keyed = connect("sandbox_api_key", name="Key", link_name="keyed")
    for connection, typed in (
        (basic, {"username": "alice", "password": CANARIES["basic-password"]}),
        (keyed, {"key": CANARIES["api-key"]}),
    ):
        page = reverse("connection_authorize", args=[connection.pk])
        assert look(f"typed {connection}", browser.post(page, typed)).status_code == 303
    people = connect(name="People", link_name="people")
    address = begin(browser, people)
    secrets["verifier"] = Flow.objects.get().code_verifier.reveal()
    secrets["state"] = state_of(address)
    query = {"code": "canary-code-7d1f-never-seen", "state": secrets["state"], "iss": API}
    secrets["code"] = query["code"]
    look("open flow", browser.get(reverse("flow_detail", args=[Flow.objects.get().pk])))
    seen["database within a flow"] = dump()
    back = look("callback", browser.get(reverse("oauth_callback", args=[oauth.reference]), query))
    look("outcome", browser.get(back["Location"]))
    assert Credential.objects.get(connector_slug="sandbox").secret.reveal()["access_token"]
    hooks = reverse("webhook_list", args=[application.pk])
    made = browser.post(hooks, {"url": "https://hooks.example.com/x"})
    secrets["webhook"] = made.context["secret"]
    secrets["webhook, bare"] = made.context["secret"].partition("_")[2]
    secrets["api key"] = program.key
    secrets["user token"] = token_for(developer, application, studio, "development")
    secrets["signing key"] = _private(TokenKey.objects.first())
    secrets["invitation"] = invite()  # its token is supposed to be in the mail
    mail.outbox.clear()

    # Use them: calls, renewals, refusals, unexpected exceptions.
    for path in ("/contacts", "/broken"):
        build(f"Find {path[1:]}", definition={"calls": [{"connection": "people", "path": path}]})
    component = application.components.get(name="Find contacts")
    run = reverse("component_run", args=[component.pk])
    look("run", browser.post(run, {"environment": "development"}))
    headers = {"Authorization": f"Bearer {program.key}", "Console-User": secrets["user token"]}
    for name in ("find_contacts", "find_broken"):
        client = Client(raise_request_exception=False)
        run = f"/api/v1/functions/{name}/run"
        look(name, client.post(run, "{}", content_type="application/json", headers=headers))
    look("key in address", Client().get("/api/v1/connections/", {"key": program.key}))
    for link_name in (
        "people",
        "basic",
        "keyed",
    ):  # nothing listens there
        answer = program.get(link_name, query=f"api_key={quote(CANARIES['query-key'])}")
        seen[f"proxy {link_name}"] = answer.body + str(answer.headers).encode()
    for _ in range(2):
        hour = timedelta(hours=1)
        past = timezone.now() - hour
        Credential.objects.update(obtained_at=past - hour, expires_at=past, retry_at=None)
        call_command("refresh_due", stdout=(out := io.StringIO()))
        seen["refresh_due"] = out.getvalue().encode()
        service.remove(responses.POST, f"{API}/oauth/token/")
        service.add_callback("POST", f"{API}/oauth/token/", service.echo)
    for authorization in people.authorizations.all():
        look("test", browser.post(reverse("authorization_test", args=[authorization.pk])))
    call_command("check_health", stdout=(out := io.StringIO()))
    call_command("deliver_webhooks", stdout=out)
    seen["commands"] = out.getvalue().encode()
    writer.write()

    # Search everywhere.
    pages = {
        "home": (), "application_list": (), "connection_list": (), "health_list": (),
        "client_list": (), "event_list": (), "security": (), "usersessions_list": (),
        "key_list": (application.pk,), "webhook_list": (application.pk,),
        "component_detail": (component.pk,), "release_list": (application.pk,),
        "application_export": (application.pk,), "event_export": ("csv",),
    }  # fmt: skip
    for name, arguments in pages.items():
        for who, visitor in (("developer", browser), ("super admin", admin)):
            look(f"{name} of {who}", visitor.get(reverse(name, args=arguments)))
    for connection in (people, basic, keyed):
        for name in ("connection_detail", "connection_calls", "connection_authorize"):
            page = reverse(name, args=[connection.pk])
            assert look(f"{name} {connection}", browser.get(page)).status_code == 200
    for event in Event.objects.all():
        look(f"event {event.pk}", admin.get(reverse("event_detail", args=[event.pk])))
    change = reverse("admin:connections_oauthclient_change", args=[oauth.pk])
    assert look("admin", admin.get(change)).status_code == 200
    seen["metrics"] = Client().get(
        "/metrics", headers={"Authorization": f"Bearer {settings.METRICS_TOKEN}"}
    ).content  # fmt: skip
    seen["export"] = export(application).encode()
    seen["authorization revoked"] = browser.post(
        reverse("authorization_revoke", args=[people.authorizations.get().pk]), {"confirm": "1"}
    ).content
    seen["mails"] = "".join(each.subject + each.body for each in mail.outbox).encode()
    seen["database"] = dump()
    seen["log"] = log.getvalue().encode()
    assert len(seen) > 60 and all(Credential.objects.values_list("label", flat=True))

    assert found(seen, secrets) == []

    # Positive control: the search finds each encoding in each place.
    for name, secret in secrets.items():
        for how, spelling in spellings(secret).items():
            assert (("leaky", name, how)) in found({"leaky": b"x" * 6 + spelling}, {name: secret})
    logging.getLogger("console").warning("Leaky: %s", CANARIES["refresh-1"])
    assert ("log", "refresh-1", "raw") in found({"log": log.getvalue().encode()}, secrets)


def _private(key: TokenKey) -> str:
    """Return the private part of the signing key (RFC 7518 section 6)."""
    return key.private.reveal()["d"]
