"""A program that comes to the lean door, without a server in between."""

from __future__ import annotations

import io
import json
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote_to_bytes
from wsgiref.validate import validator

from connectors.definitions.registry import get_connectors
from console.runtime.proxy_app import ProxyApplication

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@dataclass(kw_only=True)
class Answered:
    """What the program was answered."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes = field(repr=False)

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def problem(self) -> str:
        """Return the last part of the problem's type."""
        assert self.all("Content-Type") == ["application/problem+json"], self.body
        document = self.json()
        assert document["status"] == self.status
        return document["type"].rpartition("/")[2]


def _django(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    start_response("299 Django", [("Content-Type", "text/plain")])
    return [b"Django answers this."]


@dataclass(kw_only=True)
class Program:
    """Speaks WSGI to the door as a server does; ``wsgiref`` watches that both keep to it.

    ``tells_target`` is what most servers do and PEP 3333 does not ask for: they add the target
    of the request line as it came.
    """

    key: str = ""
    tells_target: bool = True

    def environ(self, method: str, path: str, query: str = "", **more: Any) -> dict[str, Any]:
        environ = {
            "REQUEST_METHOD": method,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
            "QUERY_STRING": query,
            "SERVER_NAME": "console.test",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "192.0.2.7",
            "HTTP_HOST": "console.test",
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(),
            "wsgi.errors": io.StringIO(),
            "wsgi.multithread": True,
            "wsgi.multiprocess": True,
            "wsgi.run_once": False,
        }
        if self.tells_target:
            environ["RAW_URI"] = f"{path}?{query}" if query else path
        if self.key:
            environ["HTTP_AUTHORIZATION"] = f"Bearer {self.key}"
        return environ | more

    def call(
        self,
        method: str,
        link_name: str,
        path: str = "/contacts",
        *,
        query: str = "",
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
        **more: Any,
    ) -> Answered:
        address = f"/api/v1/connections/{link_name}/proxy{path}"
        environ = self.environ(method, address, query, **more)
        for name, value in (headers or {}).items():
            environ[f"HTTP_{name.upper().replace('-', '_')}"] = value
        if body is not None:
            environ |= {"CONTENT_LENGTH": str(len(body)), "wsgi.input": io.BytesIO(body)}
        return ask(environ)

    def get(self, link_name: str, path: str = "/contacts", **more: Any) -> Answered:
        return self.call("GET", link_name, path, **more)


def ask(environ: dict[str, Any]) -> Answered:
    """Go to the door, take the whole body, and close it as a server does."""
    told: list[Any] = []

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        told.append((int(status.split()[0]), headers))
        return lambda data: None

    answer = ProxyApplication(_django)(environ, start_response)
    try:
        body = b"".join(answer)
    finally:
        if hasattr(answer, "close"):
            answer.close()
    (status, headers) = told[0]
    return Answered(status=status, headers=headers, body=body)


#: For tests that only ask whether the door keeps to PEP 3333.
validated = validator(ProxyApplication(_django))


def speaking(
    answer: bytes, asked: list[bytes] | None = None, times: int = 1
) -> Callable[[socket.socket], None]:
    """Read a request's head, remember it, answer; as often as ``times`` over one connection."""

    def speak(sock: socket.socket) -> None:
        for _ in range(times):
            head = b""
            while b"\r\n\r\n" not in head:
                if not (piece := sock.recv(65536)):
                    return
                head += piece
            if asked is not None:
                asked.append(head)
            sock.sendall(answer)

    return speak


def leading_to(listener: Any, settings: Any) -> None:
    """Let a listener be the sandbox of the catalogue."""
    settings.SANDBOX_URL = f"http://127.0.0.1:{listener.port}"
    settings.ALLOWED_PRIVATE_HOSTS = [f"127.0.0.1:{listener.port}"]
    get_connectors.cache_clear()
