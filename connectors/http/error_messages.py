"""Say in one sentence why a service did not respond."""

from __future__ import annotations

import socket
import ssl
from http.client import BadStatusLine

import requests
from urllib3.exceptions import NameResolutionError

from connectors.errors import ServiceTimeout, ServiceUnreachable
from connectors.http.transport import OutboundCall

_CHECK = "Check the host and the port if they were entered by hand, or try again later."
#: What OpenSSL reports for a plain-text answer (`ssl.SSLError.reason`).
_NO_TLS = frozenset(
    {"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST", "PACKET_LENGTH_TOO_LONG"}
)
#: OpenSSL verify codes that people can act on (openssl-verification-options).
_WRONG_CERTIFICATE = {
    9: "it is not valid yet",
    10: "it has expired",
    18: "it is self-signed",
    19: "it is self-signed",
    20: "its issuer is unknown to this console, or an intermediate certificate is missing",
    21: "its issuer is unknown to this console, or an intermediate certificate is missing",
    62: "it is for another host",
    64: "it is for another host",
}


def unreachable_error(
    error: Exception, call: OutboundCall, connect_timeout: float, read_timeout: float
) -> ServiceUnreachable:
    """Convert an error of requests, urllib3 or a socket to a ``ServiceUnreachable``.

    Timeouts are in seconds. Raise the result ``from None``: the messages of the libraries contain
    the URL with its query.
    """
    causes = _causes(error)
    timed_out = any(isinstance(cause, TimeoutError | requests.Timeout) for cause in causes)
    if call.sent:
        if timed_out:
            seconds = call.total if call.is_expired else read_timeout
            message = f"{call.service} did not answer within {round(seconds, 1):g} s."
            return ServiceTimeout(message, certain=False)
        if any(isinstance(cause, BadStatusLine) and _is_tls(str(cause)) for cause in causes):
            message = f"{call.service} uses https on this port, but plain http was used."
            return ServiceUnreachable(f"{message} Choose https.", certain=False)
        message = f"{call.service} closed the connection before it answered."
        return ServiceUnreachable(message, certain=False)
    for cause in causes:
        if isinstance(cause, NameResolutionError | socket.gaierror):
            message = f"{call.service}'s host name could not be found. {_CHECK}"
            return ServiceUnreachable(message, certain=True)
        if isinstance(cause, ssl.SSLError):
            return ServiceUnreachable(_tls_message(cause, call.service), certain=True)
    if timed_out:
        seconds = call.total if call.is_expired else connect_timeout
        message = f"{call.service} could not be reached within {seconds:g} s."
        return ServiceTimeout(message, certain=True)
    message = f"{call.service} could not be reached: nothing answers at its URL. {_CHECK}"
    return ServiceUnreachable(message, certain=True)


def _causes(error: BaseException) -> list[BaseException]:
    """Return an error and all its causes, as requests and urllib3 nest them."""
    found: list[BaseException] = []
    queue: list[object] = [error]
    while queue and len(found) < 20:
        cause = queue.pop(0)
        if isinstance(cause, BaseException) and cause not in found:
            found.append(cause)
            reason = getattr(cause, "reason", None)
            queue += [*cause.args, reason, cause.__cause__, cause.__context__]
    return found


def _tls_message(error: ssl.SSLError, service: str) -> str:
    """Return a sentence that explains a TLS failure, and who can fix it."""
    if isinstance(error, ssl.SSLCertVerificationError):
        reason = _WRONG_CERTIFICATE.get(error.verify_code, "")
        return (
            f"{service} has an invalid certificate{reason and f': {reason}'}. Nothing was sent. "
            "Check the host; only the operator of the service can fix the certificate."
        )
    if error.reason in _NO_TLS:
        return (
            f"{service} does not use https on this port; it may use plain http. Nothing "
            "was sent. Check the port."
        )
    return (
        f"{service} and this console could not agree on an encrypted connection. TLS 1.2 or newer "
        "is required. Nothing was sent. Check the port."
    )


def _is_tls(line: str) -> bool:
    """Return whether a response starts like a TLS alert (RFC 8446 section 5.1)."""
    return line.startswith("\x15\x03")
