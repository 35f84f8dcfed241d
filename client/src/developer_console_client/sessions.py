"""``requests`` sessions and adapters that call services through the console."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from tempfile import SpooledTemporaryFile
from typing import Any

import requests
from requests.adapters import BaseAdapter, HTTPAdapter

from developer_console_client.problems import MARK, raise_problem

#: Seconds to connect, and between two pieces of a response: longer than the console waits.
TIMEOUT = (10.0, 70.0)
#: How often a call is retried when the console is busy, and the longest wait in seconds.
RETRIES = 2
LONGEST_WAIT = 30.0
#: A body of unknown length is buffered before it is sent, in memory up to this size.
IN_MEMORY_BYTES = 1024 * 1024
#: Safe to retry (RFC 9110 section 9.2.2).
_IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})


class ConsoleAdapter(HTTPAdapter):
    """Adds the key, retries when the console is busy, and raises the console's errors."""

    def __init__(self, key: str, user: str | None) -> None:
        self._headers = {"Authorization": f"Bearer {key}"}
        if user is not None:
            self._headers["Console-User"] = user
        super().__init__()

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: bool | str = True,
        cert: Any = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        # Here and not in the session, to replace what a .netrc or older code has set. In a
        # copy, as a redirect to another host is built from the original request.
        request = request.copy()
        request.headers.update(self._headers)
        with _measured(request):
            for tried in range(RETRIES + 1):
                response = super().send(
                    request, stream, TIMEOUT if timeout is None else timeout, verify, cert, proxies
                )
                wait = _wait(request, response)
                if wait is None or tried == RETRIES:
                    break
                response.close()
                time.sleep(wait)
        raise_problem(response)
        return response


class RefusingAdapter(BaseAdapter):
    """Sends nothing: the console's key goes only to the console."""

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> Any:
        raise _elsewhere(request)

    def close(self) -> None:
        """Close nothing."""


class ConnectionSession(requests.Session):
    """A ``requests`` session that takes paths at the connection's service.

    Responses of the service are returned as in any other session, whatever their status. An
    error of the console raises :class:`~developer_console_client.ConsoleProblem`. A redirect
    to another host, such as a file download, is followed without the key.
    """

    def __init__(self, proxy_url: str, key: str, user: str | None = None) -> None:
        super().__init__()
        self.proxy_url = proxy_url
        self.mount(proxy_url, ConsoleAdapter(key, user))

    def prepare_request(self, request: requests.Request) -> requests.PreparedRequest:
        """Prepare a request; ``url`` is a path at the service, with or without a leading slash.

        An empty path is the base URL of the API, without a trailing slash.
        """
        request.url = self._url(request.url)
        prepared = super().prepare_request(request)
        rest = str(prepared.url).lower().removeprefix(self.proxy_url.lower())
        if rest and (rest == str(prepared.url).lower() or rest[0] not in "/?"):
            raise _elsewhere(prepared)
        return prepared

    def _url(self, url: str | bytes) -> str:
        text = url.decode() if isinstance(url, bytes) else url
        if "://" in text.partition("?")[0]:
            return text  # a URL from the console; any other is refused
        if not text or text.startswith(("/", "?")):
            return f"{self.proxy_url}{text}"
        return f"{self.proxy_url}/{text}"


def _elsewhere(request: requests.PreparedRequest) -> requests.exceptions.InvalidURL:
    return requests.exceptions.InvalidURL(
        f"{request.url} is not reachable through this connection. Pass the path at the service, "
        "such as /crm/v6/Leads.",
        request=request,
    )


@contextmanager
def _measured(request: requests.PreparedRequest) -> Iterator[None]:
    """Buffer a body that requests would send in chunks, as the console needs Content-Length.

    If reading it fails, nothing is sent.
    """
    if "Transfer-Encoding" not in request.headers:
        yield
        return
    untyped: Any = request  # types-requests does not know bodies that are iterables or files
    pieces: Iterable[bytes | str] = untyped.body
    with SpooledTemporaryFile(max_size=IN_MEMORY_BYTES) as file:
        for piece in pieces:
            file.write(piece.encode() if isinstance(piece, str) else piece)
        del request.headers["Transfer-Encoding"]
        request.headers["Content-Length"] = str(file.tell())
        file.seek(0)
        untyped.body = file
        yield


def _wait(request: requests.PreparedRequest, response: requests.Response) -> float | None:
    """Return the seconds to wait before a retry, or ``None`` for no retry."""
    if response.status_code != 503 or MARK not in response.headers:
        return None
    if request.method not in _IDEMPOTENT or not isinstance(request.body, bytes | str | None):
        return None
    seconds = response.headers.get("Retry-After", "")
    return min(float(seconds), LONGEST_WAIT) if seconds.isdecimal() else None
