"""Send a program's call to the service through a connection, and return the response.

The credential is added last. Where the service refuses it (401, and the connector's ``[check]
refused_statuses``), the access token is renewed and the call sent once more, if its body is
still at hand (``unauthorized_response.py``). Everything else the service says is passed on. No
call is sent twice because it was slow or failed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from django.conf import settings

from connections.calls.call_preparation import CallPreparation
from connections.calls.prepared_call import PreparedCall
from connections.calls.proxy_request import (
    DROPPED_REQUEST_HEADER,
    OutgoingRequest,
    ProxyRequest,
    header_list,
    outgoing_request,
)
from connections.calls.proxy_response import UrlRewriter, response_headers
from connectors.api.www_authenticate import refuses_credential
from connectors.http.connection_pool import CallLimits
from connectors.http.stream import StreamedResponse, StreamedUpload, stream_request


@dataclass(kw_only=True)
class ProxyResponse:
    """A response on its way back: ``headers`` are those for the program."""

    streamed: StreamedResponse
    headers: list[tuple[str, str]]
    refreshed: bool = False


async def proxy(
    request: ProxyRequest, prepared: PreparedCall, preparation: CallPreparation
) -> ProxyResponse:
    """Make a call and return the response, which the caller must close or read to its end.

    Raise ``CallRefused`` or ``ServiceError``, or what the pieces of the body raise.
    """
    outgoing = outgoing_request(request, prepared)
    streamed = await _send(outgoing, request, prepared)
    refreshed = False
    try:
        if is_refused(prepared, streamed.status, streamed.headers) and (
            renewed := await preparation.again(prepared)
        ):
            refreshed = True
            # A streamed body is gone; then the new token is there for the next call.
            if not isinstance(request.body, StreamedUpload):
                streamed.close()
                prepared = renewed
                outgoing = outgoing_request(request, prepared)
                streamed = await _send(outgoing, request, prepared)
                if is_refused(prepared, streamed.status, streamed.headers):
                    await preparation.again(prepared, just_obtained=True)
        headers = response_headers(
            streamed.headers,
            UrlRewriter(base=prepared.base, proxy_url=request.proxy_url, requested=outgoing.url),
            prepared.redactor,
            pass_cookies=prepared.connector.api_cookies,
        )
    except BaseException:
        streamed.close()
        raise
    if outgoing.dropped:
        headers.append((DROPPED_REQUEST_HEADER, header_list(outgoing.dropped)))
    return ProxyResponse(streamed=streamed, headers=headers, refreshed=refreshed)


async def _send(
    outgoing: OutgoingRequest, request: ProxyRequest, prepared: PreparedCall
) -> StreamedResponse:
    return await stream_request(
        request.method,
        prepared.destination,
        outgoing.target,
        service=prepared.connector.name,
        credential=prepared.credential.pk,
        headers=outgoing.headers,
        body=request.body,
        limits=_limits(
            settings.PROXY_SECONDS,
            settings.PROXY_STREAM_SECONDS,
            settings.PROXY_MAX_ANSWER_BYTES,
            settings.PROXY_CALLS_AT_ONCE_PER_SERVICE,
        ),
    )


@lru_cache(maxsize=8)
def _limits(seconds: float, stream_seconds: float, max_bytes: int, at_once: int) -> CallLimits:
    return CallLimits(
        seconds=seconds, stream_seconds=stream_seconds, max_bytes=max_bytes, at_once=at_once
    )


def is_refused(prepared: PreparedCall, status: int, headers: Iterable[tuple[str, str]]) -> bool:
    """Tell whether the service refuses the credential, and not only a permission."""
    challenges = (value for name, value in headers if name.lower() == "www-authenticate")
    return refuses_credential(prepared.connector, status, challenges)
