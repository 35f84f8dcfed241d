"""WebSocket connections to services (RFC 6455), on an event loop.

The protocol is spoken by the package ``websockets``, without its input and output; the rules for
destinations are those of ``stream.py``. Messages are not compressed, and are passed on whole.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

from websockets.client import ClientProtocol
from websockets.exceptions import WebSocketException
from websockets.frames import Frame, Opcode
from websockets.http11 import Response
from websockets.protocol import State
from websockets.typing import Subprotocol
from websockets.uri import WebSocketURI

from connectors.errors import ServiceUnintelligible
from connectors.http import transport
from connectors.http.bulkhead import bulkhead, proxied_call_limit
from connectors.http.connection_pool import CallLimits
from connectors.http.error_messages import unreachable_error
from connectors.http.ssrf import Destination

#: The longest message; a longer one ends the connection with the code 1009.
MAX_MESSAGE_BYTES = 16 * 1024**2
#: A service that sends faster than the program reads has to wait once so many messages wait.
MAX_MESSAGES = 32
#: The close code for a connection that has lasted for as long as it may (RFC 6455 section 7.4.1).
GOING_AWAY = 1001
#: The close code for a connection that broke (IANA, WebSocket Close Code Number Registry).
BAD_GATEWAY = 1014
#: The code of a connection that ended without a close frame.
ABNORMAL = 1006
_NO_STATUS, _TLS = 1005, 1015
#: Codes that stand for the absence of a close frame (RFC 6455 section 7.4.1), and reserved ones.
_NEVER_SENT = frozenset({1004, _NO_STATUS, ABNORMAL, _TLS, *range(1016, 3000)})
# It would log the headers of the handshake.
logging.getLogger("websockets").setLevel(logging.WARNING)


class ServiceWebSocket(asyncio.Protocol):
    """An open WebSocket, or the response of a service that refused to open it.

    ``received`` counts the bytes of messages. ``status`` and ``headers`` are those of the
    handshake; ``body`` is the service's explanation if it refused.
    """

    def __init__(
        self, target: str, headers: Mapping[str, str], subprotocols: Sequence[str]
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._transport: Any = None
        uri = WebSocketURI(secure=False, host="", port=80, path=target, query="")
        self._protocol = ClientProtocol(
            uri,
            subprotocols=[Subprotocol(each) for each in subprotocols] or None,
            max_size=MAX_MESSAGE_BYTES,
        )
        self._request_headers = headers
        self._messages: deque[str | bytes] = deque()
        self._parts: list[bytes] = []
        self._is_text = False
        self._to_read: asyncio.Future[None] | None = None
        self._is_writable, self._to_write = True, asyncio.Event()
        self._error: Exception | None = None
        self._is_lost = self._has_data = self._has_ended = False
        self.response: Response | None = None
        self.received = 0

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        request = self._protocol.connect()
        for name, value in self._request_headers.items():
            if name in request.headers:
                del request.headers[name]
            request.headers[name] = value
        self._protocol.send_request(request)
        self._flush()

    def data_received(self, data: bytes) -> None:
        self._has_data = True
        self._protocol.receive_data(data)
        self._handle_events()

    def eof_received(self) -> None:
        self._protocol.receive_eof()
        self._handle_events()

    def connection_lost(self, exc: Exception | None) -> None:
        self._is_lost, self._error = True, self._error or exc
        self._to_write.set()
        self._wake()

    def pause_writing(self) -> None:
        self._is_writable = False
        self._to_write.clear()

    def resume_writing(self) -> None:
        self._is_writable = True
        self._to_write.set()

    @property
    def status(self) -> int:
        return self.response.status_code if self.response else 0

    @property
    def headers(self) -> list[tuple[str, str]]:
        return list(self.response.headers.raw_items()) if self.response else []

    @property
    def body(self) -> bytes:
        return bytes(self.response.body or b"") if self.response else b""

    @property
    def was_opened(self) -> bool:
        """Return whether the handshake succeeded; the service may have closed it since."""
        return self.status == 101 and self._protocol.handshake_exc is None

    @property
    def is_open(self) -> bool:
        return self._protocol.state is State.OPEN

    @property
    def subprotocol(self) -> str | None:
        return self._protocol.subprotocol

    @property
    def close_code(self) -> int:
        """Return the code to close the program's side with."""
        close = self._protocol.close_rcvd
        if close is None:
            return BAD_GATEWAY
        return 1000 if close.code == _NO_STATUS else int(close.code)

    async def opened(self, deadline: float) -> None:
        """Wait for the handshake response; raise ``OSError`` if there is none in time."""
        async with asyncio.timeout(max(0.0, deadline - time.monotonic())):
            while self.response is None:
                if self._protocol.handshake_exc is not None and self._has_data:
                    raise self._protocol.handshake_exc
                if self._is_lost:
                    raise self._error or ConnectionResetError("the service closed the connection")
                await self._wait()

    async def receive(self) -> str | bytes | None:
        """Return the next message, or ``None`` once the connection has ended."""
        while not self._messages:
            if self._is_lost or self._has_ended or not self.is_open:
                return None
            self._transport.resume_reading()
            await self._wait()
        message = self._messages.popleft()
        self.received += len(message)
        return message

    async def send(self, message: str | bytes) -> None:
        """Send a message; wait while the service is slower than the program."""
        if not self.is_open:
            return
        if isinstance(message, str):
            self._protocol.send_text(message.encode())
        else:
            self._protocol.send_binary(message)
        self._flush()
        if not self._is_writable:
            await self._to_write.wait()

    def close(self, code: int = 1000, reason: str = "") -> None:
        """Close the connection, with a close frame if it is open."""
        if self.is_open:
            may_be_sent = 1000 <= code < 5000 and code not in _NEVER_SENT
            self._protocol.send_close(code if may_be_sent else 1000, reason[:100])
            self._flush()
        if self._transport is not None:
            self._transport.close()

    def _handle_events(self) -> None:
        for event in self._protocol.events_received():
            if isinstance(event, Response):
                self.response = event
            elif not isinstance(event, Frame):
                continue
            elif event.opcode is Opcode.CLOSE:
                self._has_ended = True
            elif event.opcode in {Opcode.TEXT, Opcode.BINARY, Opcode.CONT}:
                if event.opcode is not Opcode.CONT:
                    self._is_text = event.opcode is Opcode.TEXT
                self._parts.append(bytes(event.data))
                if event.fin:
                    self._add_message()
        if len(self._messages) >= MAX_MESSAGES:
            self._transport.pause_reading()
        self._flush()
        self._wake()

    def _add_message(self) -> None:
        data, self._parts = b"".join(self._parts), []
        try:
            self._messages.append(data.decode() if self._is_text else data)
        except UnicodeDecodeError:
            self._protocol.fail(1007, "invalid text")

    def _flush(self) -> None:
        for data in self._protocol.data_to_send():
            if data:
                self._transport.write(data)
            else:  # the protocol's sign to end
                self._transport.close()

    def _wake(self) -> None:
        if self._to_read is not None and not self._to_read.done():
            self._to_read.set_result(None)

    async def _wait(self) -> None:
        self._to_read = self._loop.create_future()
        await self._to_read


class PermittedWebSocket:
    """Opens a WebSocket and counts it against the limit of its service until it is closed."""

    def __init__(self, destination: Destination, service: str, limits: CallLimits) -> None:
        self._destination, self._service, self._limits = destination, service, limits
        self._permit = proxied_call_limit(destination, service, limits.at_once)
        bulkhead.enter(self._permit)
        self._socket: ServiceWebSocket | None = None
        self._is_closed = False

    async def open(
        self, target: str, headers: Mapping[str, str], subprotocols: Sequence[str]
    ) -> ServiceWebSocket:
        """Connect and send the handshake; raise ``ServiceError`` if there is no response."""
        call, limits = transport.OutboundCall(service=self._service), self._limits
        try:
            self._socket = opened = await transport.connect(
                self._destination,
                lambda: ServiceWebSocket(
                    target, {"Host": self._destination.authority, **headers}, subprotocols
                ),
                service=self._service,
                seconds=limits.connect,
            )
            call.sent = True
            call.set_deadline(limits.seconds)
            await opened.opened(call.deadline)
        except OSError as error:
            raise unreachable_error(error, call, limits.connect, limits.seconds) from None
        except WebSocketException:
            opened = None
        if opened is None or (opened.status == 101 and not opened.was_opened):
            raise ServiceUnintelligible(
                f"{self._service} answered a request for a WebSocket in a way that is not allowed."
            )
        return opened

    def close(self, code: int = 1000, reason: str = "") -> None:
        """Close the connection and free its place."""
        if not self._is_closed:
            self._is_closed = True
            bulkhead.leave(self._permit)
            if self._socket is not None:
                self._socket.close(code, reason)
