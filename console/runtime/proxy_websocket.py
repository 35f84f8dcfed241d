"""A WebSocket through a connection: messages are passed on in both directions (RFC 6455)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from django.conf import settings

from connections.calls.proxied_websocket import ProxiedWebSocket, open_websocket
from connections.calls.proxy_request import ProxyRequest
from connectors.http.websocket import ABNORMAL, BAD_GATEWAY, GOING_AWAY
from console.monitoring.request_ids import HEADER
from console.runtime.asgi_request import header_list
from console.runtime.problem_details import Problem, problem_of
from console.runtime.proxy_call import ProxyCall


class WebSocketCall(ProxyCall):
    """A call that stays open while program and service exchange messages."""

    #: Bytes of messages from the program.
    received = 0

    async def respond(self) -> None:
        if (await self.receive())["type"] != "websocket.connect":
            return
        try:
            service = await self._open()
        except Exception as error:
            problem = problem_of(error, self.request_id)
            self.log(status=problem.status, received=0, sent=0, problem=problem.type.slug)
            await self._refuse(problem)
        else:
            await self._exchange(service)
        finally:
            self.release()

    async def _open(self) -> ProxiedWebSocket:
        prepared = await self.prepare()
        request = ProxyRequest(
            method="GET",
            path=self.path,
            query=self.environ["QUERY_STRING"],
            headers=header_list(self.environ),
            proxy_url=self.proxy_url,
        )
        service = await open_websocket(
            request, self.scope.get("subprotocols") or (), prepared, self.threads.preparation
        )
        self.refreshed = service.refreshed
        return service

    async def _exchange(self, service: ProxiedWebSocket) -> None:
        socket, code, problem = service.socket, 1000, ""
        try:
            if not socket.was_opened:
                await self._deny(service)
                return
            await self.send(
                {
                    "type": "websocket.accept",
                    "subprotocol": socket.subprotocol,
                    "headers": _encoded([*service.headers, *self._request_ids()]),
                }
            )
            code, problem = await self._pass_messages(service)
        except asyncio.CancelledError:
            problem = "caller-gone"
            raise
        except Exception as error:
            problem = problem_of(error, self.request_id).type.slug
        finally:
            service.close(code)
            self.log(
                status=socket.status, received=self.received, sent=socket.received, problem=problem
            )

    async def _pass_messages(self, service: ProxiedWebSocket) -> tuple[int, str]:
        """Pass messages on until one side closes; return the close code and the problem, if any."""
        up = asyncio.create_task(self._to_service(service))
        down = asyncio.create_task(self._to_program(service))
        try:
            done, _ = await asyncio.wait(
                {up, down},
                return_when=asyncio.FIRST_COMPLETED,
                timeout=settings.PROXY_STREAM_SECONDS,
            )
        finally:
            # Both have to end first: granian sends a close frame only while nothing is received.
            up.cancel()
            down.cancel()
            await asyncio.gather(up, down, return_exceptions=True)
        if up in done:
            code = up.result()
            return code, "caller-gone" if code == ABNORMAL else ""
        if down in done:
            down.result()
            code = service.socket.close_code
        else:
            code = GOING_AWAY
        await self.send({"type": "websocket.close", "code": code})
        return code, "service-unreachable" if code == BAD_GATEWAY else ""

    async def _to_service(self, service: ProxiedWebSocket) -> int:
        """Pass on what the program sends; return the code it closes with."""
        while True:
            message = await self.receive()
            if message["type"] == "websocket.disconnect":
                return int(message.get("code") or 1005)
            text = message.get("text")
            data: str | bytes = message.get("bytes") or b"" if text is None else text
            self.received += len(data)
            await service.socket.send(data)

    async def _to_program(self, service: ProxiedWebSocket) -> None:
        while (message := await service.socket.receive()) is not None:
            kind = "text" if isinstance(message, str) else "bytes"
            await self.send({"type": "websocket.send", kind: message})

    async def _refuse(self, problem: Problem) -> None:
        await self._respond(problem.status, list(problem.headers.items()), problem.body)

    async def _deny(self, service: ProxiedWebSocket) -> None:
        """Pass on the response of a service that did not open a WebSocket."""
        await self._respond(service.socket.status, service.headers, service.socket.body)

    async def _respond(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        headers = [*headers, ("Content-Length", str(len(body))), *self._request_ids()]
        await self.send(
            {
                "type": "websocket.http.response.start",
                "status": status,
                "headers": _encoded(headers),
            }
        )
        await self.send({"type": "websocket.http.response.body", "body": body})

    def _request_ids(self) -> list[tuple[str, str]]:
        return [("Console-Request-Id", self.request_id), (HEADER, self.request_id)]


def _encoded(headers: Sequence[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
