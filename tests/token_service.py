"""A service on loopback with a token endpoint, and an API that accepts only its tokens."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from connectors.definitions.registry import CATALOGUE, get_connectors

Handler = BaseHTTPRequestHandler
Answer = tuple[int, dict[str, str], bytes]


@dataclass(kw_only=True)
class TokenService:
    """The running service: its valid tokens, received requests, and failures."""

    url: str = ""
    #: Access tokens that the API accepts.
    good: set[str] = field(default_factory=set)
    #: Replaces the response of the token endpoint.
    fault: Callable[[Handler], Answer | None] | None = None
    #: Fixed API responses by path, for every token.
    answers: dict[str, Answer] = field(default_factory=dict)
    #: The API's response to an invalid token.
    refusal: Answer = (401, {}, b"{}")
    token_requests: list[dict[str, list[str]]] = field(default_factory=list)
    #: More fields of token responses.
    extra: dict[str, Any] = field(default_factory=dict)
    called: Counter[str] = field(default_factory=Counter)

    def withdraw(self) -> None:
        """Invalidate all access tokens."""
        self.good.clear()

    def token_answer(self, handler: Handler) -> Answer | None:
        if self.fault:
            return self.fault(handler)
        number = len(self.token_requests)
        self.good.add(f"token-{number}")
        document = {
            "access_token": f"token-{number}",
            "refresh_token": f"refresh-{number}",
            "token_type": "Bearer",
            "expires_in": 3600,
            **self.extra,
        }
        return 200, {}, json.dumps(document).encode()

    def api_answer(self, path: str, token: str) -> Answer:
        self.called[path] += 1
        if path in self.answers:
            return self.answers[path]
        if token not in self.good:
            return self.refusal
        return 200, {}, b'{"id": 1, "email": "alice@example.com"}'


def answering(status: int, body: Any = b"", **headers: str) -> Callable[[Handler], Answer]:
    """Return a fault that sends this response."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return lambda handler: (status, {n.replace("_", "-"): v for n, v in headers.items()}, raw)


def hangs_up(handler: Handler) -> None:
    """Close the connection without a response."""
    handler.close_connection = True
    handler.connection.close()


def late(seconds: float) -> Callable[[Handler], None]:
    """Return a fault that closes the connection after a delay, when the caller no longer waits."""

    def answer(handler: Handler) -> None:
        time.sleep(seconds)
        hangs_up(handler)

    return answer


@contextmanager
def token_service() -> Iterator[TokenService]:
    service = TokenService()

    class Requests(BaseHTTPRequestHandler):
        def log_message(self, *arguments: Any) -> None:
            pass

        def serve(self) -> None:
            path = urlsplit(self.path).path
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if path == "/oauth/token/":
                service.token_requests.append(parse_qs(body.decode(), keep_blank_values=True))
                answer = service.token_answer(self)
            else:
                token = self.headers.get("Authorization", "").removeprefix("Bearer ")
                answer = service.api_answer(path, token or self.headers.get("X-Api-Key", ""))
            if answer is None:
                return
            status, headers, content = answer
            self.send_response(status)
            for name, value in {"Content-Length": str(len(content)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_DELETE = serve  # noqa: N815

    server = ThreadingHTTPServer(("127.0.0.1", 0), Requests)
    service.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield service
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def in_the_catalogue(
    service: TokenService, settings: Any, folder: Any, **added: str
) -> Iterator[None]:
    """Make the service the sandbox connector; ``added`` lines go into tables of its definition."""
    settings.SANDBOX_URL = service.url
    settings.ALLOWED_PRIVATE_HOSTS = [urlsplit(service.url).netloc]
    if added:
        text = (CATALOGUE / "sandbox.toml").read_text()
        for table, lines in added.items():
            text = text.replace(f"\n[{table}]\n", f"\n[{table}]\n{lines}\n")
        (folder / "sandbox.toml").write_text(text)
        settings.EXTRA_CATALOGUES = [str(folder)]
    get_connectors.cache_clear()
    try:
        yield
    finally:
        get_connectors.cache_clear()
