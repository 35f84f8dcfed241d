"""The one way out: every request to a service leaves through here.

A name is resolved once, every address that it leads to is judged, and the connection is
made to a judged address, while certificate and server name stay those of the host. No
redirect is followed, no proxy of the environment is used, and one deadline holds for the
whole call. Nobody is asked for a compressed answer; one that comes all the same is decoded
within the limit of an answer that is not.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase
from urllib3 import PoolManager
from urllib3.exceptions import HTTPError as TransportError

from connectors.definitions.templates import origin
from connectors.errors import ServiceForbidden, ServiceRefused, ServiceUnintelligible
from connectors.http import transport
from connectors.http.bulkhead import bulkhead, shares_of
from connectors.http.content_codings import PIECE, Damaged, Decoder, UnknownCoding
from connectors.http.error_messages import explain
from connectors.http.payloads import parse_json, words
from connectors.http.retry_after import retry_after
from connectors.http.ssrf import judge_url, place_of
from connectors.version import VERSION

# It writes whole addresses, and some services take their keys in the query.
logging.getLogger("urllib3").setLevel(logging.ERROR)

ONE_MEBIBYTE = 1024 * 1024

#: What is said of an answer beyond the limit, by whether it was compressed.
_LARGER = {
    False: "sent an answer larger than",
    True: "sent a compressed answer that decodes to more than",
}
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_HEADER_VALUE = re.compile(r"([!-~\x80-\xff]([\t -~\x80-\xff]*[!-~\x80-\xff])?)?")
#: Headers that say how a message is sent are this module's alone (RFC 9110 section 7.6.1).
_OWN_HEADERS = frozenset(
    {"accept-encoding", "connection", "content-length", "host", "te", "trailer"}
    | {"transfer-encoding", "upgrade", "user-agent"}
)


@dataclass(frozen=True, kw_only=True)
class Timeout:
    """How long to wait, in seconds: to connect, between two pieces, and altogether."""

    connect: float = 5
    read: float = 10
    total: float = 15


@dataclass(frozen=True, kw_only=True)
class ServiceResponse:
    """What a service answered; ``headers`` have lower-case names."""

    service: str
    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    def json(self) -> Any:
        """Read the JSON or raise ``ServiceUnintelligible`` saying what came instead."""
        try:
            return parse_json(self.body)
        except ValueError:
            raise self.unintelligible() from None

    def unintelligible(self) -> ServiceUnintelligible:
        """Say that this is not the data that was expected."""
        start = self.body.lstrip()[:1]
        if not start:
            came = "sent an empty answer"
        elif start == b"<":
            came = "sent a web page where data was expected"
        else:
            came = "sent an answer that cannot be read"
        status = f" (status {self.status})" if self.status >= 400 else ""
        return ServiceUnintelligible(f"{self.service} {came}{status}.", status=self.status)

    def refuse_outage(self) -> None:
        """Raise ``ServiceRefused`` where the service is overloaded or broken (429, 5xx)."""
        if self.status == 429:
            raise ServiceRefused(
                f"{self.service} takes no more requests just now.",
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
    """Ask a service for something once and return its answer, whatever its status.

    ``service`` is the name used in sentences; ``grants`` is that of ``bulkhead.shares_of``; a
    list in ``params`` repeats its name. Raise a ``ServiceError`` whose ``certain`` tells whether
    anything can have reached the service.
    """
    with Session(service=service, timeout=timeout, max_bytes=max_bytes, grants=grants) as session:
        response = session.request(
            method,
            url,
            headers=dict(headers or {}),
            params=dict(params or {}),
            data=dict(form) if form is not None else data,
            json=json,
            auth=auth or _unsigned,
        )
    return answer_of(response, service=service)


def answer_of(response: requests.Response, *, service: str) -> ServiceResponse:
    """Return the plain values of a response that came through :class:`Session`."""
    headers = {name.lower(): value for name, value in response.headers.items()}
    return ServiceResponse(
        service=service, status=response.status_code, headers=headers, body=response.content
    )


class Session(requests.Session):
    """A ``requests`` session that can only leave through this module's adapter.

    Other session classes, such as that of requests-oauthlib, are joined to it by
    inheritance: ``class TokenSession(Session, OAuth2Session)``.
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
        self.trust_env = False  # neither proxies nor .netrc of the environment
        self.adapters.clear()
        adapter = _Adapter(service=service, timeout=timeout, max_bytes=max_bytes, grants=grants)
        self.mount("https://", adapter)
        self.mount("http://", adapter)  # for ALLOWED_PRIVATE_HOSTS; judge_url refuses the rest

    def prepare_request(self, request: requests.Request) -> requests.PreparedRequest:
        """Judge the address as it was written, and once more as it will be sent."""
        judge_url(str(request.url), service=self.service)
        _judge_headers(request.headers or {}, self.service)
        try:
            prepared = super().prepare_request(request)
        except (requests.RequestException, UnicodeError, ValueError):
            raise ServiceForbidden(
                f"The request to {self.service} holds something that cannot be sent."
            ) from None
        judge_url(str(prepared.url), service=self.service)
        if _place(str(prepared.url)) != _place(str(request.url)):
            raise ServiceForbidden(f"{self.service}'s address can be read in two ways.")
        prepared.headers["Accept-Encoding"] = "identity"
        prepared.headers["User-Agent"] = user_agent()
        return prepared


class _Adapter(HTTPAdapter):
    """Send over judged connections, and read the answer within its limits."""

    def __init__(self, *, service: str, timeout: Timeout, max_bytes: int, grants: bool) -> None:
        self.service, self.timeout, self.max_bytes = service, timeout, max_bytes
        self.grants = grants
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        self.poolmanager = PoolManager(ssl_context=transport.tls_context())
        self.poolmanager.pool_classes_by_scheme = transport.POOLS

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Leave the certificate to the one TLS context: there is no switch to skip it."""

    def send(self, request: requests.PreparedRequest, **ignored: Any) -> requests.Response:  # type: ignore[override]
        wait = (self.timeout.connect, self.timeout.read)
        place = place_of(str(request.url), service=self.service)
        shares = shares_of(place, self.service, grants=self.grants)
        bulkhead.enter(*shares)
        with transport.call(self.service, total=self.timeout.total) as call:
            try:
                response = super().send(request, stream=True, timeout=wait, verify=True)
                with response:
                    self._read(response)
            except (requests.RequestException, TransportError, OSError) as error:
                # Not chained: requests and urllib3 quote the address with its query.
                raise explain(error, call, self.timeout.connect, self.timeout.read) from None
            finally:
                bulkhead.leave(*shares)
        return response

    def _read(self, response: requests.Response) -> None:
        """Read the whole body and decode it, or refuse it."""
        if 300 <= response.status_code < 400:
            where = "redirected to another address, which the console never follows"
            raise self._refused(f"{where}. Check the host")
        try:
            decoder = Decoder(response.headers.get("Content-Encoding", ""))
            body = bytearray()
            for data in self._received(response):
                for piece in decoder.pieces(data):
                    body += piece
                    if len(body) > self.max_bytes:
                        raise self._refused(f"{_LARGER[decoder.decodes]} {self._limit}")
            decoder.finish()
        except UnknownCoding as coding:
            raise self._refused(
                f"sent an answer compressed as “{words(str(coding), 60)}”, although none was "
                "asked for; the console decodes gzip and deflate only"
            ) from None
        except Damaged as problem:
            raise self._refused(
                f"sent a compressed answer that cannot be decoded, because {problem}"
            ) from None
        response._content = bytes(body)  # requests has no public way to hand over a body

    def _received(self, response: requests.Response) -> Iterator[bytes]:
        """Yield the body as it is on the wire, where it is not too large."""
        announced = response.headers.get("Content-Length", "")
        received = int(announced[:12]) if announced.isdigit() else 0
        if received <= self.max_bytes:
            received = 0
            while data := response.raw.read(PIECE, decode_content=False):
                received += len(data)
                if received > self.max_bytes:
                    break
                yield data
        if received > self.max_bytes:
            raise self._refused(f"{_LARGER[False]} {self._limit}")

    @property
    def _limit(self) -> str:
        return f"{self.max_bytes // 1024} KiB"

    def _refused(self, what: str) -> ServiceUnintelligible:
        return ServiceUnintelligible(f"{self.service} {what}.")


def _judge_headers(headers: Mapping[str, Any], service: str) -> None:
    for name, value in headers.items():
        if name.lower() in _OWN_HEADERS:
            raise ServiceForbidden(f"A request to {service} may not set the header “{name[:60]}”.")
        judge_header(name, value, service)


def judge_header(name: str, value: Any, service: str) -> None:
    """Raise ``ServiceForbidden`` for a header that cannot be sent as it is."""
    if not _HEADER_NAME.fullmatch(name):
        raise ServiceForbidden(f"A request to {service} may not set the header “{name[:60]}”.")
    if not isinstance(value, str) or not _HEADER_VALUE.fullmatch(value):
        raise ServiceForbidden(
            f"What goes to {service} in the header “{name}” holds a character that cannot be "
            "sent there, such as a line break or a space at its end."
        )


def _place(url: str) -> tuple[str, str]:
    """Return what an address leads to: the origin, and the path however it is encoded."""
    return origin(url), unquote(urlsplit(url).path) or "/"


def _unsigned(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Keep requests from looking for a signature of its own."""
    return request


def user_agent() -> str:
    """Return the ``User-Agent`` of requests to services."""
    return f"DeveloperConsole/{VERSION}"
