"""The way of an authorization: begun at the console, allowed at the sandbox, and back."""

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
    """Press *Authorize* and return the address of the service's own page."""
    form = {"flow": uuid.uuid4()} | form
    is_home = isinstance(connection, Connection)
    name = "connection_authorize" if is_home else "installed_authorize"
    response = client.post(reverse(name, args=[connection.pk]), form)
    assert response.status_code == 303, response.content.decode()
    return response["Location"]


def allow(person: Browser, address: str) -> str:
    """Allow what ``address`` asks for; return the path and query that lead back."""
    answer = person.submit(person.open(address.removeprefix(person.url)), allow="true")
    assert answer.status_code == 302, answer.text
    assert answer.headers["Location"].startswith(settings.PUBLIC_URL + "/oauth/callback/")
    return answer.headers["Location"].removeprefix(settings.PUBLIC_URL)


def authorize(
    client: Client, connection: Connection | InstalledConnection, person: Browser, **form: Any
) -> Flow:
    """Go the whole way and return how it ended."""
    response = client.get(allow(person, begin(client, connection, **form)))
    assert response.status_code == 303, response.content.decode()
    return flow_at(response["Location"])


def flow_at(address: str) -> Flow:
    """Return the flow that a page of outcome belongs to."""
    found = re.fullmatch(r"/flows/([0-9a-f-]{36})/", address)
    assert found, address
    return Flow.objects.get(pk=uuid.UUID(found[1]))


def state_of(address: str) -> str:
    """Return the ``state`` that an address carries."""
    return parse_qs(urlsplit(address).query)["state"][0]


def changed(callback: str, **query: str | None) -> str:
    """Change the query of a callback; None leaves a part out."""
    parts = urlsplit(callback)
    wanted = dict(parse_qsl(parts.query, keep_blank_values=True)) | query
    present = {name: value for name, value in wanted.items() if value is not None}
    return parts._replace(query=urlencode(present)).geturl()


def words_of(response: HttpResponse) -> str:
    """Return what a person reads on a page."""
    text = re.sub(
        r"<(script|style|svg)\b.*?</\1>|<[^>]+>", " ", response.content.decode(), flags=re.S
    )
    return " ".join(unescape(text).split())
