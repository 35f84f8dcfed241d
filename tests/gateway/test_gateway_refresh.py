"""A refused access token: the Python path renews it and repeats the call."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Lock

import pytest

from tests.gateway.nginx_server import is_by_nginx
from tests.gateway.scripted_service import ScriptedService

REFUSED = (
    b'HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Bearer error="invalid_token"\r\n'
    b"Content-Length: 2\r\n\r\nno"
)


_unused = iter(range(7))


@dataclass(kw_only=True)
class Renewing:
    """A connection, and its service, which does not accept the tokens that it has forgotten."""

    service: ScriptedService
    link_name: str
    forgotten: set[str]

    def forget_token(self) -> None:
        """Do not accept the token of the last call any longer."""
        self.forgotten |= set(self.service.received[-1].all("Authorization"))
        self.service.received.clear()

    @property
    def token_requests(self) -> int:
        return sum(each.target == "/oauth/token/" for each in self.service.received)


@pytest.fixture
def renewing(paths):
    lock, numbers, number = Lock(), iter(range(100)), next(_unused)
    given = Renewing(service=paths.services["oauth"], link_name=f"oauth_{number}", forgotten=set())

    def issue(sock, request):
        with lock:
            name = f"{number}-{next(numbers)}"
        body = json.dumps(
            {
                "access_token": f"canary-access-token-{name}",
                "refresh_token": f"canary-refresh-token-{name}",
                "token_type": "Bearer",
                "expires_in": 3600,
            }
        ).encode()
        head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
        sock.sendall(head.encode() + f"Content-Length: {len(body)}\r\n\r\n".encode() + body)

    def api(sock, request):
        is_good = not given.forgotten.intersection(request.all("Authorization"))
        ok = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n" + request.body[:4].ljust(4, b".")
        sock.sendall(ok if is_good else REFUSED)

    given.service.answers |= {"/oauth/token/": issue, "/api/x": api}
    return given


@pytest.mark.parametrize(("method", "body"), [("GET", None), ("POST", b"body"), ("PUT", b"1234")])
def test_the_program_sees_the_repeated_call(paths, renewing, method, body):
    assert paths.call("/x", renewing.link_name).status_code == 200
    renewing.forget_token()
    answer = paths.call("/x", renewing.link_name, method=method, data=body)
    assert answer.status_code == 200
    assert answer.content == (body or b"....")
    assert renewing.token_requests == 1
    # The worker uses the new token at once; the other one may come with the old one once more.
    renewing.service.received.clear()
    assert [paths.call("/x", renewing.link_name).status_code for _ in range(4)] == [200] * 4
    assert len(renewing.service.received) <= 5
    assert renewing.token_requests == 0


def test_many_callers_at_a_refused_token_ask_for_one(paths, renewing):
    assert paths.call("/x", renewing.link_name).status_code == 200
    renewing.forget_token()
    with ThreadPoolExecutor(20) as threads:
        statuses = list(
            threads.map(lambda _: paths.call("/x", renewing.link_name).status_code, range(60))
        )
    assert statuses == [200] * 60
    assert renewing.token_requests == 1


def test_a_token_that_ends_within_seconds_is_left_to_the_python_path(paths):
    service = paths.services["oauth"]
    service.answers["/oauth/token/"] = (
        b"HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nContent-Length: 37\r\n\r\n"
        b'{"error": "temporarily_unavailable" }'
    )
    answer = paths.call("/x", "oauth_7")
    # The Python path still uses it, or says why it cannot be renewed.
    assert answer.status_code in {200, 503}
    assert not is_by_nginx(answer)


def test_a_refusal_that_stays_is_passed_on(paths):
    paths.item.answers["/api/x"] = REFUSED
    answer = paths.call("/x")
    assert (answer.status_code, answer.content) == (401, b"no")


def test_the_repeated_call_has_the_headers_of_the_program(paths, renewing):
    assert paths.call("/x", renewing.link_name).status_code == 200
    renewing.forget_token()
    headers = {
        "X-Mine": "1",
        "Accept-Encoding": "br",
        "Cookie": "a=b",
        "X-Forwarded-For": "1.1.1.1",
    }
    answer = paths.call("/x?a=1", renewing.link_name, headers=headers)
    assert answer.status_code == 200
    assert answer.headers["Console-Dropped-Request"] == "Cookie"
    calls = [each for each in renewing.service.received if each.target != "/oauth/token/"]
    assert len({tuple(sorted(name.lower() for name, _ in each.headers)) for each in calls}) == 1
    assert {each.line for each in calls} == {"GET /api/x?a=1 HTTP/1.1"}
    assert calls[-1].all("X-Mine") == ["1"]
