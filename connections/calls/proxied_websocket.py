"""Open a WebSocket to the service through a connection.

The handshake is signed as any other call, and its headers are filtered by the same rules. A
refused credential is renewed once, and the handshake repeated.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings

from connections.calls.call_preparation import CallPreparation
from connections.calls.prepared_call import PreparedCall
from connections.calls.proxy_request import ProxyRequest, outgoing_request
from connections.calls.proxy_response import UrlRewriter, response_headers
from connections.calls.proxying import is_refused
from connectors.http.connection_pool import CallLimits
from connectors.http.websocket import PermittedWebSocket, ServiceWebSocket


@dataclass(frozen=True, kw_only=True)
class ProxiedWebSocket:
    """A WebSocket, or a service's refusal to open one; ``headers`` are those for the program."""

    socket: ServiceWebSocket
    headers: list[tuple[str, str]]
    permitted: PermittedWebSocket
    refreshed: bool = False

    def close(self, code: int = 1000) -> None:
        """Close the connection to the service."""
        self.permitted.close(code)


async def open_websocket(
    request: ProxyRequest,
    subprotocols: Sequence[str],
    prepared: PreparedCall,
    preparation: CallPreparation,
) -> ProxiedWebSocket:
    """Return a WebSocket, which the caller must close.

    Raise ``CallRefused`` or ``ServiceError``.
    """
    opened = await _open(request, subprotocols, prepared)
    if is_refused(prepared, opened.socket.status, opened.socket.headers):
        renewed = await _renewed(preparation, prepared, opened)
        if renewed is not None:
            opened.close()
            return await _open(request, subprotocols, renewed, refreshed=True)
    return opened


async def _renewed(
    preparation: CallPreparation, prepared: PreparedCall, opened: ProxiedWebSocket
) -> PreparedCall | None:
    try:
        return await preparation.again(prepared)
    except BaseException:
        opened.close()
        raise


async def _open(
    request: ProxyRequest,
    subprotocols: Sequence[str],
    prepared: PreparedCall,
    *,
    refreshed: bool = False,
) -> ProxiedWebSocket:
    outgoing = outgoing_request(request, prepared)
    permitted = PermittedWebSocket(
        prepared.destination,
        prepared.connector.name,
        CallLimits(
            seconds=settings.PROXY_SECONDS, at_once=settings.PROXY_CALLS_AT_ONCE_PER_SERVICE
        ),
    )
    try:
        socket = await permitted.open(outgoing.target, outgoing.headers, subprotocols)
        headers = response_headers(
            [each for each in socket.headers if not each[0].lower().startswith("sec-websocket-")],
            UrlRewriter(base=prepared.base, proxy_url=request.proxy_url, requested=outgoing.url),
            prepared.redactor,
            pass_cookies=prepared.connector.api_cookies,
        )
    except BaseException:
        permitted.close()
        raise
    return ProxiedWebSocket(
        socket=socket, headers=headers, permitted=permitted, refreshed=refreshed
    )
