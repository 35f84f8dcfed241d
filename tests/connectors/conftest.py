"""A service on loopback that sends prepared responses and records the requests."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from connectors.definitions.schema import Check, Connector, OAuth2Auth


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A received request; ``headers`` keep their order, spelling and repetitions."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: list[tuple[str, str]]
    body: bytes

    @property
    def form(self) -> dict[str, list[str]]:
        return parse_qs(self.body.decode(), keep_blank_values=True, strict_parsing=bool(self.body))

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name.lower()]


@dataclass(kw_only=True)
class Service:
    """The running service: its URL, the requests it received, and its next response."""

    url: str
    port: int
    asked: list[Asked] = field(default_factory=list)
    status: int = 200
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=dict)

    def answers(self, body: Any = b"", status: int = 200, **headers: str) -> None:
        self.body = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.status = status
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}

    @property
    def only(self) -> Asked:
        """Return the only request."""
        assert len(self.asked) == 1
        return self.asked[0]


@pytest.fixture
def service(settings: Any) -> Iterator[Service]:
    """Run a service at an allowed private address."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *arguments: Any) -> None:
            pass

        def handle_one(self) -> None:
            parts = urlsplit(self.path)
            length = int(self.headers.get("Content-Length", 0))
            handle.asked.append(
                Asked(
                    method=self.command,
                    path=parts.path,
                    query=parse_qs(parts.query, keep_blank_values=True),
                    headers=list(self.headers.items()),
                    body=self.rfile.read(length),
                )
            )
            self.send_response(handle.status)
            for name, value in handle.headers.items():
                self.send_header(name, value)
            if "Content-Length" not in handle.headers:
                self.send_header("Content-Length", str(len(handle.body)))
            self.end_headers()
            self.wfile.write(handle.body)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = handle_one  # noqa: N815

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    port = server.server_address[1]
    handle = Service(url=f"http://127.0.0.1:{port}", port=port)
    settings.ALLOWED_PRIVATE_HOSTS = [f"127.0.0.1:{port}", f"localhost:{port}"]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield handle
    server.shutdown()
    server.server_close()
    thread.join()


@dataclass(kw_only=True)
class Listener:
    """A listening socket that counts connections and responds as the test says."""

    port: int
    connections: int = 0


@pytest.fixture
def listen() -> Iterator[Callable[..., Listener]]:
    """Return a function that starts listeners: ``listen(speak)`` with ``speak(socket)``.

    They handle one connection after another, or with ``together`` all at once.
    """
    closing: list[Callable[[], None]] = []

    def start(
        speak: Callable[[socket.socket], None] = lambda sock: None, *, together: bool = False
    ) -> Listener:
        bound = socket.create_server(("127.0.0.1", 0))
        listener = Listener(port=bound.getsockname()[1])
        over = threading.Event()
        speaking: list[threading.Thread] = []
        accepted: list[socket.socket] = []

        def speak_to(sock: socket.socket) -> None:
            with sock, suppress(OSError):  # the caller can close it at any time
                speak(sock)

        def serve() -> None:
            while True:
                sock, _ = bound.accept()
                if over.is_set():
                    sock.close()
                    return
                listener.connections += 1
                accepted.append(sock)
                if together:
                    speaking.append(threading.Thread(target=speak_to, args=(sock,)))
                    speaking[-1].start()
                else:
                    speak_to(sock)

        thread = threading.Thread(target=serve)
        thread.start()

        def close() -> None:
            over.set()
            with socket.socket() as last:
                last.connect(("127.0.0.1", listener.port))
            for each in accepted:
                with suppress(OSError):  # nginx keeps idle connections open
                    each.shutdown(socket.SHUT_RDWR)
            for each in (thread, *speaking):
                each.join()
            bound.close()

        closing.append(close)
        return listener

    yield start
    for close in closing:
        close()


@pytest.fixture
def resolving(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Return a function that fakes DNS: one list of addresses for each lookup."""

    def resolve(*turns: list[str]) -> list[str]:
        lookups: list[str] = []

        def getaddrinfo(host: str, port: int, *_: Any, **__: Any) -> list[Any]:
            addresses = turns[min(len(lookups), len(turns) - 1)]
            lookups.append(host)
            return [
                (
                    socket.AF_INET6 if ":" in address else socket.AF_INET,
                    socket.SOCK_STREAM,
                    6,
                    "",
                    (address, port),
                )
                for address in addresses
            ]

        monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
        return lookups

    return resolve


@contextmanager
def _assert_not_logged(*secrets: str, caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Fail if one of the secrets was logged at any level."""
    with caplog.at_level("DEBUG"):
        yield
    assert not [secret for secret in secrets if secret in caplog.text]


@pytest.fixture
def assert_not_logged(caplog: pytest.LogCaptureFixture) -> Callable[..., Any]:
    return lambda *secrets: _assert_not_logged(*secrets, caplog=caplog)


def example_connector(**fields: Any) -> Connector:
    """Return a connector with the required fields and these ones."""
    required: dict[str, Any] = {
        "slug": "example",
        "name": "Example",
        "category": "Test",
        "summary": "",
        "documentation": "",
        "sources": (),
        "read_on": "2026-01-01",
        "api_base_url": "https://api.example.com",
        "check": Check(path="/me"),
    }
    return Connector(**{**required, **fields})


#: Services' own names for standard error codes.
SPELLINGS = {
    "bad_auth_code": "invalid_grant",
    "bad_refresh_token": "invalid_grant",
    "bad_verification_code": "invalid_grant",
    "invalid_code": "invalid_grant",
    "token_revoked": "invalid_grant",
    "incorrect_client_credentials": "invalid_client",
    "invalid_client_secret": "invalid_client",
    "bad_client_secret": "invalid_client",
}


@pytest.fixture
def make_connector(service: Service) -> Callable[..., Connector]:
    """Return a function that creates a connector with the endpoints of the test service."""

    def make(**fields: Any) -> Connector:
        endpoints = {
            "authorization_endpoint": "https://accounts.example.com/authorize",
            "token_endpoint": f"{service.url}/token",
        }
        return example_connector(
            error_codes=SPELLINGS, oauth2=OAuth2Auth(**{**endpoints, **fields})
        )

    return make
