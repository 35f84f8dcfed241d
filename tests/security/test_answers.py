"""Every response of a service leads to a clear message (security.md, promise 5).

Each example is one response at one of the places where the console parses responses: the token
endpoint (after consent and for a renewal), the check, and the API through the proxy and through
runs. ``SECURITY_EXAMPLES=20000`` is the full size; CI uses fewer examples.
"""
# ruff: noqa: F401, F811  (fixtures of other rooms)

from __future__ import annotations

import logging
import os
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection as database
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from connections.calls import prepared_call
from connections.models import Authorization, Connection, Credential, Flow, OAuthClient
from connectors.definitions.registry import get_connectors
from connectors.errors import ServiceError
from connectors.http.connection_pool import close_idle
from console.audit.models import Event
from console.runtime.problem_types import PROBLEM_TYPES
from tests.connections.flow_steps import begin, flow_at, state_of
from tests.runtime.proxy.conftest import (
    key_of,
    new_program,
    nothing_was_called_lately,
    program,
)
from tests.runtime.proxy.program import Answered, PythonPath
from tests.security.answers import Answering, answering_service, answers

#: Responses do not depend on the database, so the second one gets fewer examples.
EXAMPLES = int(os.environ.get("SECURITY_EXAMPLES", "600" if database.vendor == "sqlite" else "150"))
SECRETS = {"access_token": "old-access-token", "refresh_token": "old-refresh-token"}
#: Our statuses when a service fails; all of them are in the OpenAPI description.
OF_SERVICES = {502, 503, 504}


@pytest.fixture
def service(settings) -> Iterator[Answering]:
    with answering_service() as service:
        settings.SANDBOX_URL = service.url
        settings.ALLOWED_PRIVATE_HOSTS = [service.url.removeprefix("http://")]
        get_connectors.cache_clear()
        yield service
        close_idle()
    get_connectors.cache_clear()


class World:
    """An authorized connection, its users, and the places where it calls the service."""

    def __init__(self, service: Answering, connection: Connection, client: Client, program: Any):
        self.service, self.connection, self.client, self.program = (
            *(service, connection, client, program),
        )
        self.met: Counter[tuple[str, int]] = Counter()

    def renew(self) -> None:
        """Restore all rows after the previous example."""
        prepared_call._prepared.clear()
        close_idle()
        Authorization.objects.exclude(connection=self.connection).delete()
        Flow.objects.all().delete()
        Authorization.objects.update(state=Authorization.State.ACTIVE, reason="")
        for credential in Credential.objects.all():
            credential.secret, credential.journal = SECRETS, None
            credential.expires_at = credential.ends_at = credential.retry_at = None
            credential.lease_owner, credential.lease_until = "", None
            credential.attempt = credential.failures = 0
            credential.refused = credential.check_problem = ""
            credential.save()

    def age(self) -> None:
        hour = timedelta(hours=1)
        Credential.objects.update(
            obtained_at=timezone.now() - 2 * hour, expires_at=timezone.now() - hour
        )

    # The places

    def called(self) -> Any:
        """Call the API through the proxy; a response can break off after its headers."""
        try:
            return self.program.get("people")
        except ServiceError:
            return Answered(status=200, headers=[], body=b"")

    def renewed(self) -> Any:
        """Call it with an expired token, so that the token endpoint answers."""
        self.service.token, self.service.answer = self.service.answer, OK
        self.age()
        return self.program.get("people")

    def run(self) -> Any:
        return self.client.post(
            "/api/v1/functions/find/run",
            "{}",
            content_type="application/json",
            headers={"Authorization": f"Bearer {self.program.key}"},
        )

    def tested(self) -> Any:
        """Press *Test*."""
        authorization = self.connection.authorizations.get()
        return self.client.post(reverse("authorization_test", args=[authorization.pk]))

    def authorized(self) -> Any:
        """Return from the service, whose token endpoint then answers; open the result page."""
        address = begin(self.client, self.connection)
        query = {"code": "c", "state": state_of(address), "iss": self.service.url}
        response = self.client.get(reverse("oauth_callback", args=["sandbox"]), query)
        assert response.status_code == 303
        flow = flow_at(response["Location"])
        assert flow.outcome in {Flow.Outcome.COMPLETED, Flow.Outcome.FAILED}
        assert (flow.outcome == Flow.Outcome.COMPLETED) or flow.problem
        assert flow.code_verifier is None
        return self.client.get(flow.get_absolute_url())


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
PLACES = ("called", "renewed", "run", "tested", "authorized")


def rows() -> dict[str, int]:
    return {
        model.__name__: model.objects.count() for model in (Authorization, Credential, Connection)
    }


@pytest.fixture
def data_path() -> PythonPath:
    return PythonPath()


@pytest.fixture
def world(service, connect, grant, build, developer_client, program) -> World:
    OAuthClient.objects.create(connector_slug="sandbox", client_id="c", client_secret="the-secret")
    connection = connect(name="People", link_name="people")
    grant(connection, secret=SECRETS)
    build("Find", connection)
    return World(service, connection, developer_client, program)


@pytest.mark.slow("Hundreds of answers, each at a place where the console reads one.")
def test_no_answer_of_a_service_breaks_the_console(world: World, caplog) -> None:
    caplog.set_level(logging.WARNING)

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(place=st.sampled_from(PLACES), answer=answers())
    def meets(place: str, answer: bytes) -> None:
        world.renew()
        caplog.clear()
        world.service.answer, world.service.token, world.service.asked = answer, None, 0
        before, told = rows(), Event.objects.count()

        response = getattr(world, place)()

        status = response.status if place in {"called", "renewed"} else response.status_code
        problem = _problem(place, response)
        world.met[place, status] += 1
        assert world.service.asked
        if problem:
            assert PROBLEM_TYPES[problem].status == status
            assert status < 500 or status in OF_SERVICES
        elif place != "called":  # the proxy passes on the service's own status
            assert status == (303 if place == "tested" else 200)
        assert b"Traceback" not in _body(response)
        assert b"old-refresh-token" not in _body(response)
        assert not [record for record in caplog.records if record.exc_info], answer[:300]
        # An authorization is stored together with its event, or not at all.
        assert rows() == before
        if place == "authorized":
            given = Flow.objects.get().outcome == Flow.Outcome.COMPLETED
            assert (Event.objects.count() > told) == given
            world.met["given" if given else "not given", status] += 1
        if place in {"authorized", "tested"}:  # the stored result can be displayed too
            page = world.client.get(world.connection.get_absolute_url())
            assert page.status_code == 200

    meets()
    # Every place was reached, and the code behind it.
    for place, status in (("called", 200), ("called", 502), ("renewed", 200), ("renewed", 503)):
        assert world.met[place, status], (place, status, world.met)
    for place, status in (("run", 200), ("tested", 303), ("given", 200), ("not given", 200)):
        assert world.met[place, status], (place, status, world.met)


def _problem(place: str, response: Any) -> str:
    if place in {"called", "renewed"}:
        return "".join(response.all("Console-Problem"))
    return response.headers.get("Console-Problem", "")


def _body(response: Any) -> bytes:
    return getattr(response, "body", None) or getattr(response, "content", b"")
