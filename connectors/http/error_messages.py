"""Say in one sentence why a service gave no answer."""

from __future__ import annotations

import ssl
from http.client import BadStatusLine

import requests
from urllib3.exceptions import NameResolutionError

from connectors.errors import ServiceTimeout, ServiceUnreachable
from connectors.http.transport import OutboundCall

_CHECK = "Check the host and the port, if somebody typed them in; else try again later."
#: What OpenSSL makes of an answer in plain text (`ssl.SSLError.reason`).
_NO_TLS = frozenset(
    {"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST", "PACKET_LENGTH_TOO_LONG"}
)
#: The verify codes of OpenSSL that a person can do something about (openssl-verification-options).
_WRONG_CERTIFICATE = {
    9: "it is not valid yet",
    10: "it has expired",
    18: "the service has signed it itself",
    19: "the service has signed it itself",
    20: "this console does not know who has signed it, or a certificate between is missing",
    21: "this console does not know who has signed it, or a certificate between is missing",
    62: "it is for another host",
    64: "it is for another host",
}


def explain(
    error: Exception, call: OutboundCall, connect: float, read: float
) -> ServiceUnreachable:
    """Turn what requests, urllib3 or a socket raised into what can be told.

    ``connect`` and ``read`` are the seconds that either may take. Raise it ``from None``: the
    libraries quote the address with its query.
    """
    causes = _causes(error)
    slow = any(isinstance(cause, TimeoutError | requests.Timeout) for cause in causes)
    if call.sent:
        if slow:
            waited = call.total if call.is_over else read
            what = f"{call.service} did not answer within {round(waited, 1):g} s."
            return ServiceTimeout(what, certain=False)
        if any(isinstance(cause, BadStatusLine) and _is_tls(str(cause)) for cause in causes):
            what = f"{call.service} speaks https on this port, and was asked by plain http."
            return ServiceUnreachable(f"{what} Choose https.", certain=False)
        what = f"{call.service} broke off before it had answered."
        return ServiceUnreachable(what, certain=False)
    for cause in causes:
        if isinstance(cause, NameResolutionError):
            what = f"{call.service}'s address could not be found. {_CHECK}"
            return ServiceUnreachable(what, certain=True)
        if isinstance(cause, ssl.SSLError):
            return ServiceUnreachable(_tls_sentence(cause, call.service), certain=True)
    if slow:
        waited = call.total if call.is_over else connect
        what = f"{call.service} could not be reached within {waited:g} s."
        return ServiceTimeout(what, certain=True)
    what = f"{call.service} could not be reached: nothing answers at its address. {_CHECK}"
    return ServiceUnreachable(what, certain=True)


def _causes(error: BaseException) -> list[BaseException]:
    """List an error and all that led to it, the way requests and urllib3 nest them."""
    found: list[BaseException] = []
    waiting: list[object] = [error]
    while waiting and len(found) < 20:
        cause = waiting.pop(0)
        if isinstance(cause, BaseException) and cause not in found:
            found.append(cause)
            reason = getattr(cause, "reason", None)
            waiting += [*cause.args, reason, cause.__cause__, cause.__context__]
    return found


def _tls_sentence(error: ssl.SSLError, service: str) -> str:
    """Say why no encrypted connection came about, and who can do something."""
    if isinstance(error, ssl.SSLCertVerificationError):
        why = _WRONG_CERTIFICATE.get(error.verify_code, "")
        return (
            f"{service} could not prove who it is: its certificate is not valid"
            f"{why and f': {why}'}. Nothing was sent. Check the host; only the people who run the "
            "service can correct the certificate."
        )
    if error.reason in _NO_TLS:
        return (
            f"{service} does not speak https on this port; it may speak plain http there. Nothing "
            "was sent. Check the port."
        )
    return (
        f"{service} and this console could agree on no encrypted connection. It needs TLS 1.2 or "
        "newer. Nothing was sent. Check the port."
    )


def _is_tls(line: str) -> bool:
    """Tell whether an answer begins as a TLS alert does (RFC 8446 section 5.1)."""
    return line.startswith("\x15\x03")
