"""Steps of an authorization flow: begin it, allow it at the sandbox, and come back."""

from __future__ import annotations

import re
import uuid
from html import unescape
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

from django.conf import settings
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from connections.models import Connection, Flow, InstalledConnection
from tests.sandbox.visitors import Browser


def begin(client: Client, connection: Connection | InstalledConnection, **form: Any) -> str:
    """Press *Authorize* and return the authorization URL of the service."""
    form = {"flow": uuid.uuid4()} | form
    is_home = isinstance(connection, Connection)
    name = "connection_authorize" if is_home else "installed_authorize"
    response = client.post(reverse(name, args=[connection.pk]), form)
    assert response.status_code == 303, response.content.decode()
    return response["Location"]


def allow(person: Browser, address: str) -> str:
    """Allow the request at ``address``; return the path and query of the callback."""
    answer = person.submit(person.open(address.removeprefix(person.url)), allow="true")
    assert answer.status_code == 302, answer.text
    assert answer.headers["Location"].startswith(settings.PUBLIC_URL + "/oauth/callback/")
    return answer.headers["Location"].removeprefix(settings.PUBLIC_URL)


def authorize(
    client: Client, connection: Connection | InstalledConnection, person: Browser, **form: Any
) -> Flow:
    """Run the complete flow and return it."""
    response = client.get(allow(person, begin(client, connection, **form)))
    assert response.status_code == 303, response.content.decode()
    return flow_at(response["Location"])


def flow_at(address: str) -> Flow:
    """Return the flow of an outcome page."""
    found = re.fullmatch(r"/flows/([0-9a-f-]{36})/", address)
    assert found, address
    return Flow.objects.get(pk=uuid.UUID(found[1]))


def decide(client: Client, flow: Flow, answer: str = "replace") -> Flow:
    """Answer the question whether another account replaces the old one; return the flow."""
    page = client.get(flow.get_absolute_url())["Location"]
    assert client.get(page).status_code == 200
    response = client.post(page, {"answer": answer})
    assert response.status_code == 303, response.content.decode()
    return flow_at(response["Location"])


def state_of(address: str) -> str:
    """Return the ``state`` in a URL."""
    return parse_qs(urlsplit(address).query)["state"][0]


def changed(callback: str, **query: str | None) -> str:
    """Change the query of a callback; None removes a parameter."""
    parts = urlsplit(callback)
    wanted = dict(parse_qsl(parts.query, keep_blank_values=True)) | query
    present = {name: value for name, value in wanted.items() if value is not None}
    return parts._replace(query=urlencode(present)).geturl()


def words_of(response: HttpResponse) -> str:
    """Return the text of a page."""
    text = re.sub(
        r"<(script|style|svg)\b.*?</\1>|<[^>]+>", " ", response.content.decode(), flags=re.S
    )
    return " ".join(unescape(text).split())
