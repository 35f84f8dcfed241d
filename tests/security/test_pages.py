"""Pages answer every request and show no secret (security.md, promise 5).

Every route of the policy table is requested as every kind of person, with hostile path segments,
queries, form values, names, headers and methods, and the callback with changed parameters.
``SECURITY_EXAMPLES=20000`` is the full size; CI uses fewer examples.
"""
# ruff: noqa: F401, F811  (fixtures of other rooms)

from __future__ import annotations

import os
import time
import traceback
from collections import Counter
from collections.abc import Callable
from http.cookies import SimpleCookie
from typing import Any

import pytest
import responses
from django.core.cache import cache
from django.db import transaction
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from connections.models import Authorization, OAuthClient
from connectors.definitions.registry import get_connector
from tests.accounts.policy.conftest import come_as, no_limit_was_used_yet, things
from tests.accounts.policy.expectations import IDENTITIES, PREFIXES
from tests.accounts.policy.test_routes import owner
from tests.accounts.policy.visits import VISITS, address
from tests.connections.flow_steps import begin, state_of
from tests.security.fuzz_requests import (
    HOSTILE,
    Fields,
    Sent,
    expected_form,
    hostile_words,
    requests,
    written,
)

EXAMPLES = int(os.environ.get("SECURITY_EXAMPLES", "300"))
#: One of this many requests goes to the callback, with an open flow of its own.
CALLBACKS = max(EXAMPLES // 10, 50)
#: CPU time, which does not depend on other load.
SECONDS = 5
CLIENT_SECRET = "canary/client-secret+7d1f"
SECRETS = (CLIENT_SECRET, "an-access-token", "a-refresh-token", "Traceback (most recent")
THOROUGH = settings(
    max_examples=EXAMPLES,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


class Found:
    """Errors by kind, each with the first request that caused it."""

    def __init__(self) -> None:
        self.faults: dict[str, str] = {}
        self.statuses: Counter[int] = Counter()

    def watch(self, what: str, send: Callable[[], HttpResponse]) -> None:
        """Send a request, check its response, and roll back its changes."""
        route, began = what.split()[0], time.thread_time()
        try:
            with transaction.atomic():
                response = send()
                transaction.set_rollback(True)
        except Exception as error:
            self._note(f"{type(error).__name__} at {_place_of(error)}", f"{what}: {error}")
            return
        took = time.thread_time() - began
        content = b"".join(response.streaming_content) if response.streaming else response.content
        said = content.decode(errors="replace") + str(response.headers)
        self.statuses[response.status_code] += 1
        if response.status_code >= 500:
            self._note(f"{response.status_code} from {route}", what)
        if took > SECONDS:
            self._note(f"{route} is slow", f"{took:.1f} s: {what}")
        for secret in SECRETS:
            if secret in said:
                self._note(f"{route} tells {secret}", what)

    def _note(self, fault: str, what: str) -> None:
        if fault not in self.faults:
            self.faults[fault] = what[:2000]
            print(f"{fault}\n  {what[:2000]}", flush=True)  # before the run ends

    def __str__(self) -> str:
        return "\n\n".join(f"{fault}\n  {what}" for fault, what in self.faults.items())


def _place_of(error: Exception) -> str:
    """Return the line that raised the error: the last one in our code, if there is one."""
    frames = [
        f"{each.filename}:{each.lineno}" for each in traceback.extract_tb(error.__traceback__)
    ]
    ours = [each for each in frames if "/site-packages/" not in each and "/tests/" not in each]
    return (ours or frames)[-1]


@pytest.fixture
def people(come_as, network) -> Callable[[str], Client]:
    """Return the browser of a person in the state right after sign-in."""
    known: dict[str, tuple[Client, str]] = {}

    def come(name: str) -> Client:
        if name not in known:
            client = come_as(name)
            known[name] = client, client.cookies.output(header="", sep=";")
        client, cookies = known[name]
        client.cookies = SimpleCookie(cookies)
        cache.clear()
        return client

    return come


@pytest.fixture
def forms(things, people) -> dict[str, Fields]:
    """Read the form data of each page, and add the data of its visit."""
    found = {}
    for name, visit in VISITS.items():
        page = people(owner(name)).get(address(name, things))
        text = "" if page.streaming else page.content.decode(errors="replace")
        data = written(**visit.data)
        sent = {each for each, _ in data}
        found[name] = data + [each for each in expected_form(text) if each[0] not in sent]
    return found


@pytest.mark.slow("Hundreds of requests, after one to each page for what its form would send.")
def test_no_request_breaks_a_page(things, people, forms) -> None:
    client = things["flow"].client
    client.client_secret = CLIENT_SECRET
    client.save()
    names = {route: [name for name, _ in fields] for route, fields in forms.items()}
    for who in IDENTITIES:  # before the first is undone
        people(who)
    found = Found()

    @THOROUGH
    @given(
        data=st.data(),
        route=st.sampled_from(sorted(VISITS)),
        who=st.sampled_from(sorted(IDENTITIES)),
    )
    def asks(data: Any, route: str, who: str) -> None:
        visit = VISITS[route]
        sent: Sent = data.draw(requests(names, route))
        # Mostly a person with access, because refused requests run little code.
        who = data.draw(st.sampled_from([who, *[owner(route)] * 3]))
        prefix = data.draw(st.sampled_from([*["", "/o/studio"] * 3, *PREFIXES.values()]))
        path = prefix + sent.path(address(route, things), data.draw(st.integers(0, 5)))
        method = sent.method or data.draw(st.sampled_from(visit.methods))
        body = sent.body(forms[route])
        what = f"{route} {method} {path[:600]} as {who}, {sent.content_type}, {sent.headers}"
        found.watch(
            f"{what}: {body[:1000]!r}",
            lambda: people(who).generic(
                method.upper(), path, body, sent.content_type, headers=sent.headers
            ),
        )

    asks()
    print(found.statuses)
    assert not found.faults, str(found)
    # All kinds were reached: pages, redirects, 404s, and in long runs also refused forms.
    reached = {200, 302, 404} if EXAMPLES < 2_000 else {200, 302, 303, 403, 404, 405, 422}
    assert reached <= set(found.statuses), found.statuses


#: Parameters that a service may send.
PARAMETERS = (
    *("code", "state", "iss", "error", "error_description", "error_uri", "scope", "session_state"),
    *("location", "accounts-server", "api_domain", "realmId", "shop", "hmac"),
)


def test_no_answer_breaks_the_callback(things, people, network) -> None:
    developer, connection = people("own developer"), things["connection"]
    issuer = get_connector("sandbox").oauth2.issuer or "http://localhost:9000"
    network.post("http://localhost:9000/token", json={"error": "invalid_grant"}, status=400)
    address_of = reverse("oauth_callback", args=["sandbox"])
    found = Found()

    @settings(THOROUGH, max_examples=CALLBACKS)
    @given(
        right=st.sets(st.sampled_from(["code", "state", "iss"])),
        more=st.lists(st.tuples(st.sampled_from(PARAMETERS), hostile_words()), max_size=4),
        first=st.booleans(),
        method=st.sampled_from(["GET", "GET", "GET", "POST"]),
        who=st.sampled_from(["own developer", "own developer", "other developer", "anonymous"]),
        tail=st.sampled_from(["", "", "", "x/", "%00/", "%FF/"]),
    )
    def comes_back(right, more, first, method, who, tail) -> None:
        def send() -> HttpResponse:
            begun = begin(people("own developer"), connection)
            given = {"code": "c", "state": state_of(begun), "iss": issuer}
            own = [f"{name}={given[name]}" for name in sorted(right)]
            others = [f"{name}={value}" for name, value in more]
            query = "&".join(others + own if first else own + others)
            browser = developer if who == "own developer" else people(who)
            if method == "GET":
                response = browser.get(f"{address_of}{tail}?{query}")
            else:
                form = "application/x-www-form-urlencoded"
                response = browser.generic("POST", address_of + tail, query, form)
            assert Authorization.objects.count() == before
            return response

        found.watch(f"callback {method} {tail} {sorted(right)} {more} {first} as {who}", send)

    before = Authorization.objects.count()
    comes_back()
    print(found.statuses)
    assert not found.faults, str(found)
    assert {303, 400, 403} <= set(found.statuses), found.statuses
