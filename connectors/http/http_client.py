"""HTTP client for all requests to services, with protection against SSRF.

A host name is resolved once, all its addresses are validated, and the connection is made to one
of them; the certificate is checked against the host name. Redirects and proxies of the
environment are not followed. One deadline covers the whole call. Compressed responses are not
requested; if one comes anyway, the size limit holds for the decoded body too.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit

import requests
from requests import Response as Response  # for connectors.oauth2
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase
from urllib3 import PoolManager
from urllib3.exceptions import HTTPError as TransportError

from connectors.definitions.templates import origin
from connectors.errors import ServiceForbidden, ServiceRefused, ServiceUnintelligible
from connectors.http import transport
from connectors.http.bulkhead import bulkhead, limits_for
from connectors.http.content_codings import PIECE, Decoder, InvalidCompression, UnsupportedCoding
from connectors.http.error_messages import unreachable_error
from connectors.http.payloads import parse_json, printable_line
from connectors.http.retry_after import retry_after
from connectors.http.ssrf import parse_destination, validate_url
from connectors.version import VERSION

# It logs whole URLs, and some services take their keys in the query.
logging.getLogger("urllib3").setLevel(logging.ERROR)

ONE_MEBIBYTE = 1024 * 1024

#: Messages for responses beyond the size limit; the key says whether it was compressed.
_TOO_LARGE = {
    False: "sent an answer larger than",
    True: "sent a compressed answer that decodes to more than",
}
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_HEADER_VALUE = re.compile(r"([!-~\x80-\xff]([\t -~\x80-\xff]*[!-~\x80-\xff])?)?")
#: Headers that only this module may set, since they frame the message (RFC 9110 section 7.6.1).
_OWN_HEADERS = frozenset(
    {"accept-encoding", "connection", "content-length", "host", "te", "trailer"}
    | {"transfer-encoding", "upgrade", "user-agent"}
)


@dataclass(frozen=True, kw_only=True)
class Timeout:
    """Timeouts in seconds: to connect, between two reads, and for the whole call."""

    connect: float = 5
    read: float = 10
    total: float = 15


@dataclass(frozen=True, kw_only=True)
class ServiceResponse:
    """A service's response; names in ``headers`` are lower case."""

    service: str
    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    def json(self) -> Any:
        """Parse the body as JSON; raise ``ServiceUnintelligible`` if it is not."""
        try:
            return parse_json(self.body)
        except ValueError:
            raise self.unintelligible() from None

    def unintelligible(self) -> ServiceUnintelligible:
        """Return an error that says what the body is instead of the expected data."""
        start = self.body.lstrip()[:1]
        if not start:
            problem = "sent an empty answer"
        elif start == b"<":
            problem = "sent a web page where data was expected"
        else:
            problem = "sent an answer that cannot be read"
        status = f" (status {self.status})" if self.status >= 400 else ""
        return ServiceUnintelligible(f"{self.service} {problem}{status}.", status=self.status)

    def refuse_outage(self) -> None:
        """Raise ``ServiceRefused`` if the service is overloaded or failing (429, 5xx)."""
        if self.status == 429:
            raise ServiceRefused(
                f"{self.service} is receiving too many requests. Try again later.",
                status=429,
                retry_after=retry_after(self.headers),
            )
        if self.status >= 500:
            raise ServiceRefused(
                f"{self.service} has a problem of its own (status {self.status}).",
                status=self.status,
                retry_after=retry_after(self.headers),
            )


def send(
    method: str,
    url: str,
    *,
    service: str,
    headers: Mapping[str, str] | None = None,
    params: Mapping[str, str | list[str]] | None = None,
    form: Mapping[str, str] | None = None,
    json: object = None,
    data: bytes | None = None,
    auth: AuthBase | None = None,
    timeout: Timeout = Timeout(),
    max_bytes: int = ONE_MEBIBYTE,
    grants: bool = False,
) -> ServiceResponse:
    """Send one request to a service and return its response, whatever the status.

    ``service`` is its name for error messages. ``grants`` is explained in
    ``bulkhead.limits_for``. A list in ``params`` repeats the parameter. Raise a ``ServiceError``;
    its ``certain`` is false if the request may have reached the service.
    """
    with GuardedSession(
        service=service, timeout=timeout, max_bytes=max_bytes, grants=grants
    ) as session:
        response = session.request(
            method,
            url,
            headers=dict(headers or {}),
            params=dict(params or {}),
            data=dict(form) if form is not None else data,
            json=json,
            auth=auth or _no_authentication,
        )
    return response_values(response, service=service)


def response_values(response: requests.Response, *, service: str) -> ServiceResponse:
    """Convert a response of :class:`GuardedSession` to a ``ServiceResponse``."""
    headers = {name.lower(): value for name, value in response.headers.items()}
    return ServiceResponse(
        service=service, status=response.status_code, headers=headers, body=response.content
    )


class GuardedSession(requests.Session):
    """A requests session with :class:`GuardedAdapter` mounted for all URLs.

    Combine it with another session class by inheritance:
    ``class TokenSession(GuardedSession, OAuth2Session)``.
    """

    def __init__(
        self,
        *args: Any,
        service: str,
        timeout: Timeout = Timeout(),
        max_bytes: int = ONE_MEBIBYTE,
        grants: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.service = service
        self.trust_env = False  # no proxies and no .netrc from the environment
        self.adapters.clear()
        adapter = GuardedAdapter(
            service=service, timeout=timeout, max_bytes=max_bytes, grants=grants
        )
        self.mount("https://", adapter)
        self.mount("http://", adapter)  # for ALLOWED_PRIVATE_HOSTS; validate_url refuses the rest

    def prepare_request(self, request: requests.Request) -> requests.PreparedRequest:
        """Validate the URL as given, and again as requests will send it."""
        validate_url(str(request.url), service=self.service)
        _validate_headers(request.headers or {}, self.service)
        try:
            prepared = super().prepare_request(request)
        except (requests.RequestException, UnicodeError, ValueError):
            raise ServiceForbidden(
                f"The request to {self.service} contains something that cannot be sent."
            ) from None
        validate_url(str(prepared.url), service=self.service)
        if _origin_and_path(str(prepared.url)) != _origin_and_path(str(request.url)):
            raise ServiceForbidden(f"{self.service}'s URL is ambiguous, so nothing was sent.")
        prepared.headers["Accept-Encoding"] = "identity"
        prepared.headers["User-Agent"] = user_agent()
        return prepared


class GuardedAdapter(HTTPAdapter):
    """Transport adapter of requests: validated addresses, one deadline, and a size limit."""

    def __init__(self, *, service: str, timeout: Timeout, max_bytes: int, grants: bool) -> None:
        self.service, self.timeout, self.max_bytes = service, timeout, max_bytes
        self.grants = grants
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        self.poolmanager = PoolManager(ssl_context=transport.tls_context())
        self.poolmanager.pool_classes_by_scheme = transport.POOLS

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Do nothing: the TLS context always verifies, and no argument can turn that off."""

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: bool | str = True,
        cert: Any = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """Send a request; the adapter's own limits replace the arguments besides it."""
        timeouts = (self.timeout.connect, self.timeout.read)
        destination = parse_destination(str(request.url), service=self.service)
        limits = limits_for(destination, self.service, grants=self.grants)
        bulkhead.enter(*limits)
        with transport.start_call(self.service, total=self.timeout.total) as call:
            try:
                response = super().send(request, stream=True, timeout=timeouts, verify=True)
                with response:
                    self._read(response)
            except (requests.RequestException, TransportError, OSError) as error:
                # Not chained: the messages of requests and urllib3 contain the URL with its query.
                raise unreachable_error(
                    error, call, self.timeout.connect, self.timeout.read
                ) from None
            finally:
                bulkhead.leave(*limits)
        return response

    def _read(self, response: requests.Response) -> None:
        """Read and decode the whole body; raise ``ServiceUnintelligible`` if that fails."""
        if 300 <= response.status_code < 400:
            where = "redirected to another URL, and the console follows no redirects"
            raise self._unintelligible(f"{where}. Check the host")
        try:
            decoder = Decoder(response.headers.get("Content-Encoding", ""))
            body = bytearray()
            for data in self._received(response):
                for piece in decoder.pieces(data):
                    body += piece
                    if len(body) > self.max_bytes:
                        raise self._unintelligible(f"{_TOO_LARGE[decoder.decodes]} {self._limit}")
            decoder.finish()
        except UnsupportedCoding as coding:
            raise self._unintelligible(
                f"sent an answer compressed as “{printable_line(str(coding), 60)}”, although no "
                "compression was asked for; the console decodes gzip and deflate only"
            ) from None
        except InvalidCompression as problem:
            raise self._unintelligible(
                f"sent a compressed answer that cannot be decoded, because {problem}"
            ) from None
        response._content = bytes(body)  # requests has no public way to hand over a body

    def _received(self, response: requests.Response) -> Iterator[bytes]:
        """Yield the encoded body; raise if it is larger than the limit."""
        content_length = response.headers.get("Content-Length", "")
        received = int(content_length[:12]) if content_length.isdigit() else 0
        if received <= self.max_bytes:
            received = 0
            while data := response.raw.read(PIECE, decode_content=False):
                received += len(data)
                if received > self.max_bytes:
                    break
                yield data
        if received > self.max_bytes:
            raise self._unintelligible(f"{_TOO_LARGE[False]} {self._limit}")

    @property
    def _limit(self) -> str:
        return f"{self.max_bytes // 1024} KiB"

    def _unintelligible(self, what: str) -> ServiceUnintelligible:
        return ServiceUnintelligible(f"{self.service} {what}.")


def _validate_headers(headers: Mapping[str, Any], service: str) -> None:
    for name, value in headers.items():
        if name.lower() in _OWN_HEADERS:
            raise ServiceForbidden(f"A request to {service} may not set the header “{name[:60]}”.")
        validate_header(name, value, service)


def validate_header(name: str, value: Any, service: str) -> None:
    """Raise ``ServiceForbidden`` if a header is not valid."""
    if not _HEADER_NAME.fullmatch(name):
        raise ServiceForbidden(f"A request to {service} may not set the header “{name[:60]}”.")
    if not isinstance(value, str) or not _HEADER_VALUE.fullmatch(value):
        raise ServiceForbidden(
            f"The header “{name}” for {service} contains a character that cannot be sent, such as "
            "a line break or a space at its end."
        )


def _origin_and_path(url: str) -> tuple[str, str]:
    """Return the origin and the decoded path of a URL."""
    return origin(url), unquote(urlsplit(url).path) or "/"


def _no_authentication(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Send without authentication; requests would look for it in .netrc otherwise."""
    return request


def user_agent() -> str:
    """Return the ``User-Agent`` of requests to services."""
    return f"DeveloperConsole/{VERSION}"
