"""Connect to validated addresses only, and hold every read to the deadline of the call.

Two ways to connect share the rules: ``http_client.py`` uses urllib3 in a thread, and resolves the
host name in ``_new_conn``; ``connection_pool.py`` uses :func:`connect` on an event loop. In both,
the addresses that were validated are the ones connected to.
"""

from __future__ import annotations

import asyncio
import math
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from http.client import HTTPResponse
from typing import Any, TypeVar

import certifi
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError
from urllib3.util.ssl_ import create_urllib3_context

from connectors.errors import ServiceUnreachable
from connectors.http.ssrf import Destination, is_allowed_private, is_public, private_address_error


@dataclass
class OutboundCall:
    """The state of one request: the service, its deadline, and whether anything was sent."""

    service: str = "The service"
    deadline: float = math.inf
    total: float = math.inf
    sent: bool = False

    def set_deadline(self, seconds: float) -> None:
        """Set the deadline to ``seconds`` from now."""
        self.deadline, self.total = time.monotonic() + seconds, seconds

    @property
    def seconds_left(self) -> float:
        """Return the seconds until the deadline."""
        return self.deadline - time.monotonic()

    @property
    def is_expired(self) -> bool:
        """Return whether the deadline has passed."""
        return self.seconds_left <= 0


_current: ContextVar[OutboundCall] = ContextVar("call")


@contextmanager
def start_call(service: str, *, total: float) -> Iterator[OutboundCall]:
    """Start a call: everything inside the block shares ``total`` seconds."""
    with current_call(
        OutboundCall(service=service, deadline=time.monotonic() + total, total=total)
    ) as call:
        yield call


@contextmanager
def current_call(call: OutboundCall) -> Iterator[OutboundCall]:
    """Make ``call`` the one whose deadline connections and reads in the block obey."""
    token = _current.set(call)
    try:
        yield call
    finally:
        _current.reset(token)


def _apply_deadline(sock: socket.socket) -> None:
    """Limit the next read to the time left for the call.

    A socket timeout starts again with each byte, so a slow service could keep a call open forever.
    """
    seconds_left = _current.get().seconds_left
    if seconds_left <= 0:
        raise TimeoutError("the deadline of the call has passed")
    timeout = sock.gettimeout()
    if timeout is None or timeout > seconds_left:
        sock.settimeout(seconds_left)


class _Socket(socket.socket):
    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        _apply_deadline(self)
        return super().recv_into(*args, **kwargs)


class _TLSSocket(ssl.SSLSocket):
    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        _apply_deadline(self)
        return super().recv_into(*args, **kwargs)


class _GuardedConnection(HTTPConnection):
    """A connection that resolves the host name itself and validates the addresses."""

    _response: HTTPResponse | None = None

    def _create_response(self, *args: Any, **kwargs: Any) -> HTTPResponse:
        self._response = HTTPResponse(*args, **kwargs)
        return self._response

    #: Any: the standard library calls it, so a function is as good as a class.
    response_class: Any = _create_response

    def getresponse(self) -> Any:
        """Close a response whose head urllib3 rejects, such as one with two lengths."""
        try:
            return super().getresponse()
        except BaseException:
            if self._response is not None:
                self._response.close()
            raise
        finally:
            self._response = None

    def _new_conn(self) -> socket.socket:
        failure: OSError = OSError("no address")
        for family, address in self._resolve():
            try:
                return self._open_socket(family, address)
            except TimeoutError as error:
                failure = error
                break  # trying a second address would double the wait
            except OSError as error:
                failure = error
        if isinstance(failure, TimeoutError):
            raise ConnectTimeoutError(self, "timed out") from failure
        raise NewConnectionError(self, "refused") from failure

    def _resolve(self) -> list[tuple[int, Any]]:
        try:
            return resolve(self._dns_host, self.port, _current.get().service)
        except socket.gaierror as error:
            raise NameResolutionError(self.host, self, error) from error

    def _open_socket(self, family: int, address: Any) -> socket.socket:
        sock = _Socket(family, socket.SOCK_STREAM)
        try:
            for option in self.socket_options or ():
                sock.setsockopt(*option)
            sock.settimeout(self.timeout)
            _apply_deadline(sock)
            sock.connect(address)
        except BaseException:
            sock.close()
            raise
        return sock

    def send(self, data: Any) -> None:
        """Record that data is sent: from here on, the request may have reached the service."""
        if self.sock is None:
            self.connect()
        _current.get().sent = True
        super().send(data)


class _GuardedTLSConnection(_GuardedConnection, HTTPSConnection):
    """The same with TLS; the certificate is checked against the host name."""


class _Pool(HTTPConnectionPool):
    ConnectionCls = _GuardedConnection


class _TLSPool(HTTPSConnectionPool):
    ConnectionCls = _GuardedTLSConnection


Protocol = TypeVar("Protocol", bound=asyncio.BaseProtocol)
#: Threads that wait for name servers.
_resolvers = ThreadPoolExecutor(16, thread_name_prefix="resolver")
POOLS = {"http": _Pool, "https": _TLSPool}


def resolve(host: str, port: int, service: str) -> list[tuple[int, Any]]:
    """Resolve a host name once; return the family and address of each socket to connect to.

    Raise ``ServiceForbidden`` if any of the addresses is private, or ``socket.gaierror``.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError as error:
        raise socket.gaierror(str(error)) from error
    addresses: list[tuple[int, Any]] = [(family, address) for family, _, _, _, address in found]
    if not is_allowed_private(host, port) and not all(
        is_public(str(address[0])) for _, address in addresses
    ):
        raise private_address_error(service)
    return addresses


async def connect(
    destination: Destination, protocol: Callable[[], Protocol], *, service: str, seconds: float
) -> Protocol:
    """Connect to a validated address on the event loop, and return the protocol.

    Raise ``ServiceForbidden``, ``TimeoutError`` after ``seconds``, or another ``OSError``.
    """
    loop = asyncio.get_running_loop()
    host, port = destination.host, destination.port
    async with asyncio.timeout(seconds):
        addresses = await loop.run_in_executor(_resolvers, resolve, host, port, service)
        failure: OSError = OSError("no address")
        for family, address in addresses:
            sock = socket.socket(family, socket.SOCK_STREAM)
            try:
                sock.setblocking(False)
                await loop.sock_connect(sock, address)
                is_tls = destination.scheme == "https"
                _, connected = await loop.create_connection(
                    protocol,
                    sock=sock,
                    ssl=tls_context() if is_tls else None,
                    server_hostname=host.rstrip(".") if is_tls else None,
                )
                return connected
            except BaseException as error:
                sock.close()
                if not isinstance(error, OSError) or isinstance(error, ssl.SSLError):
                    raise
                failure = error
        raise failure


def validated_addresses(destination: Destination, *, service: str) -> list[tuple[str, int]]:
    """Return the IP addresses and ports that may be connected to for a destination.

    Raise ``ServiceForbidden`` as :func:`resolve` does, and ``ServiceUnreachable``.
    """
    try:
        found = resolve(destination.host, destination.port, service)
    except socket.gaierror:
        message = f"{service}'s host name could not be found."
        raise ServiceUnreachable(message, certain=True) from None
    return [(str(address[0]), int(address[1])) for _, address in found]


def tls_context() -> ssl.SSLContext:
    """Return the TLS context of all connections: TLS 1.2 or newer, certificates verified."""
    return _tls_context(certifi.where())


@cache
def _tls_context(bundle: str) -> ssl.SSLContext:
    context = create_urllib3_context(cert_reqs=ssl.CERT_REQUIRED)
    context.load_verify_locations(bundle)
    context.sslsocket_class = _TLSSocket
    return context
