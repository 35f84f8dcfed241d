"""A service on loopback that answers with given bytes and records what it received."""

from __future__ import annotations

import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\nok"


@dataclass(frozen=True, kw_only=True)
class Received:
    """One request: the number of its connection, its lines, headers and body."""

    connection: int
    line: str
    headers: list[tuple[str, str]]
    body: bytes

    @property
    def target(self) -> str:
        return self.line.split(" ")[1]

    @property
    def method(self) -> str:
        return self.line.split(" ")[0]

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name.lower()]


#: Answers a request: bytes, or a function that speaks on the socket and may close it.
Answer = bytes | Callable[[socket.socket, Received], None]


@dataclass(kw_only=True)
class ScriptedService:
    """The running service. ``answers`` maps path to answer; others are answered with ``OK``."""

    url: str
    answers: dict[str, Answer] = field(default_factory=dict)
    received: list[Received] = field(default_factory=list)
    connections: int = 0

    def forget(self) -> None:
        self.answers.clear()
        self.received.clear()


@contextmanager
def scripted_service(
    context: ssl.SSLContext | None = None, host: str = "127.0.0.1"
) -> Iterator[ScriptedService]:
    """Run a service until the block ends."""
    listener = socket.create_server((host, 0))
    scheme = "https" if context else "http"
    service = ScriptedService(url=f"{scheme}://{host}:{listener.getsockname()[1]}")

    def speak(sock: socket.socket, number: int) -> None:
        with suppress(OSError, ValueError), ExitStack() as stack:
            stack.enter_context(sock)
            sock.settimeout(60)
            if context:
                sock = stack.enter_context(context.wrap_socket(sock, server_side=True))
            data = b""
            while True:
                while b"\r\n\r\n" not in data:
                    piece = sock.recv(65536)
                    if not piece:
                        return
                    data += piece
                head, _, data = data.partition(b"\r\n\r\n")
                line, *lines = head.decode("latin-1").split("\r\n")
                headers = [tuple(re.split(r":\s*", each, maxsplit=1)) for each in lines]
                length = next((int(v) for k, v in headers if k.lower() == "content-length"), 0)
                while len(data) < length:
                    data += sock.recv(65536)
                body, data = data[:length], data[length:]
                got = Received(connection=number, line=line, headers=headers, body=body)
                service.received.append(got)
                answer = service.answers.get(got.target.partition("?")[0], OK)
                if isinstance(answer, bytes):
                    sock.sendall(answer)
                    if b"connection: close" in answer.lower():
                        return
                else:
                    answer(sock, got)

    def serve() -> None:
        with suppress(OSError):
            while True:
                sock, _ = listener.accept()
                service.connections += 1
                threading.Thread(
                    target=speak, args=(sock, service.connections), daemon=True
                ).start()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield service
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
