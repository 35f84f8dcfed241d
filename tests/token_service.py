"""A service on loopback with a token endpoint and an API that takes its tokens only."""

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
    """The handle on the server: what it takes, what it was asked, how it fails."""

    url: str = ""
    #: Access tokens that the API takes.
    good: set[str] = field(default_factory=set)
    #: What the token endpoint does instead of giving a token.
    fault: Callable[[Handler], Answer | None] | None = None
    #: What the API answers at a path, whatever the token.
    answers: dict[str, Answer] = field(default_factory=dict)
    #: How the API refuses a token.
    refusal: Answer = (401, {}, b"{}")
    token_requests: list[dict[str, list[str]]] = field(default_factory=list)
    #: What follows of a token answer beside the tokens.
    extra: dict[str, Any] = field(default_factory=dict)
    called: Counter[str] = field(default_factory=Counter)

    def withdraw(self) -> None:
        """Let every access token end before its time."""
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
    """Return a fault that is an answer."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return lambda handler: (status, {n.replace("_", "-"): v for n, v in headers.items()}, raw)


def hangs_up(handler: Handler) -> None:
    """Close the connection instead of answering."""
    handler.close_connection = True
    handler.connection.close()


def late(seconds: float) -> Callable[[Handler], None]:
    """Return a fault that answers so late that nobody waits for it any longer."""

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
    """Let the service be the sandbox of the catalogue; ``added`` lines go into its tables."""
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
