"""Sessions of requests whose calls go through the console."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from tempfile import SpooledTemporaryFile
from typing import Any

import requests
from requests.adapters import BaseAdapter, HTTPAdapter

from developer_console_client.problems import MARK, raise_problem

#: Seconds to connect, and between two pieces of an answer: longer than the console waits.
TIMEOUT = (10.0, 70.0)
#: How often a call is repeated that the console was too busy to pass on, and how long it waits.
RETRIES = 2
LONGEST_WAIT = 30.0
#: A body whose length is not known is kept, in memory up to so many bytes, before it is sent.
IN_MEMORY_BYTES = 1024 * 1024
#: Nothing happens twice where these are repeated (RFC 9110 section 9.2.2).
_IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})


class ConsoleAdapter(HTTPAdapter):
    """Sends with the key, waits where the console is busy, raises what it says of itself."""

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
        # Here, and not in the session: whatever a .netrc or older code has set is replaced.
        # In a copy: a redirect to another host is made of the request as it was.
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
    """Sends nothing: the key of the console is for the console alone."""

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> Any:
        raise _elsewhere(request)

    def close(self) -> None:
        """Close nothing."""


class ConnectionSession(requests.Session):
    """A session of requests in which a path is the path at the connection's service.

    What the service answers comes back as from any other session, whatever its status. Where
    the console itself answers, :class:`~developer_console_client.ConsoleProblem` is raised.
    A redirect to another host, such as one to a file that was asked for, is followed without
    the key.
    """

    def __init__(self, proxy_url: str, key: str, user: str | None = None) -> None:
        super().__init__()
        self.proxy_url = proxy_url
        self.mount(proxy_url, ConsoleAdapter(key, user))

    def prepare_request(self, request: requests.Request) -> requests.PreparedRequest:
        """Prepare a request; ``url`` is a path at the service, with or without its first slash.

        An empty one is the API's own address, without a slash at its end.
        """
        request.url = self._address(request.url)
        prepared = super().prepare_request(request)
        rest = str(prepared.url).lower().removeprefix(self.proxy_url.lower())
        if rest and (rest == str(prepared.url).lower() or rest[0] not in "/?"):
            raise _elsewhere(prepared)
        return prepared

    def _address(self, url: str | bytes) -> str:
        text = url.decode() if isinstance(url, bytes) else url
        if "://" in text.partition("?")[0]:
            return text  # one that the console gave, or else one that is refused
        if not text or text.startswith(("/", "?")):
            return f"{self.proxy_url}{text}"
        return f"{self.proxy_url}/{text}"


def _elsewhere(request: requests.PreparedRequest) -> requests.exceptions.InvalidURL:
    return requests.exceptions.InvalidURL(
        f"{request.url} is not reached through this connection. Give the path at the service, "
        "such as /crm/v6/Leads.",
        request=request,
    )


@contextmanager
def _measured(request: requests.PreparedRequest) -> Iterator[None]:
    """Let a body that requests would send in chunks have a length: the console needs one.

    It is read to its end first; where that fails, nothing is sent.
    """
    if "Transfer-Encoding" not in request.headers:
        yield
        return
    pieces: Iterable[bytes | str] = request.body  # type: ignore[assignment]
    with SpooledTemporaryFile(max_size=IN_MEMORY_BYTES) as file:
        for piece in pieces:
            file.write(piece.encode() if isinstance(piece, str) else piece)
        del request.headers["Transfer-Encoding"]
        request.headers["Content-Length"] = str(file.tell())
        file.seek(0)
        request.body = file  # type: ignore[assignment]
        yield


def _wait(request: requests.PreparedRequest, response: requests.Response) -> float | None:
    """Return for how many seconds to wait before the same again, if that helps."""
    if response.status_code != 503 or MARK not in response.headers:
        return None
    if request.method not in _IDEMPOTENT or not isinstance(request.body, bytes | str | None):
        return None
    seconds = response.headers.get("Retry-After", "")
    return min(float(seconds), LONGEST_WAIT) if seconds.isdecimal() else None
