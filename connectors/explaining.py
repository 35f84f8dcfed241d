"""Say in one sentence why a service gave no answer."""

from __future__ import annotations

import requests
from urllib3.exceptions import NameResolutionError
from urllib3.exceptions import SSLError as CertificateError

from connectors.errors import ServiceTimeout, ServiceUnreachable
from connectors.wire import Call


def explain(error: Exception, call: Call, connect: float, read: float) -> ServiceUnreachable:
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
        what = f"{call.service} broke off before it had answered."
        return ServiceUnreachable(what, certain=False)
    for cause in causes:
        if isinstance(cause, NameResolutionError):
            what = f"{call.service}'s address could not be found."
            return ServiceUnreachable(what, certain=True)
        if isinstance(cause, CertificateError):
            what = (
                f"{call.service} could not prove who it is: its certificate is not valid. "
                "Nothing was sent."
            )
            return ServiceUnreachable(what, certain=True)
    if slow:
        waited = call.total if call.is_over else connect
        what = f"{call.service} could not be reached within {waited:g} s."
        return ServiceTimeout(what, certain=True)
    what = f"{call.service} could not be reached: nothing answers at its address."
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
