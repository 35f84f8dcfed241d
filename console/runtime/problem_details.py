"""Problems of the runtime API: one small document for each (RFC 9457), with a stable type.

``type`` is an address under ``PUBLIC_URL/problems/``, which explains the kind of problem to a
person. Programs go by the type, never by the words.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.http import HttpResponse

from console.keys.errors import AuthenticationFailed

MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True, kw_only=True)
class ProblemType:
    """A kind of problem: its name in addresses, its status, what it means, what to do."""

    slug: str
    status: int
    title: str
    meaning: str
    mend: str

    @property
    def uri(self) -> str:
        return f"{settings.PUBLIC_URL}/problems/{self.slug}"


_KINDS = (
    ProblemType(
        slug="request-invalid",
        status=400,
        title="The request is not as the API takes it",
        meaning="A field is missing or has another shape than the description of the API says.",
        mend="“errors” names each field. The description stands at /api/v1/openapi.json.",
    ),
    ProblemType(
        slug="key-in-address",
        status=400,
        title="A key stands in the address",
        meaning="Addresses are written into logs and histories, where others read them.",
        mend="Send the key as “Authorization: Bearer <key>”. Revoke the one that you have sent.",
    ),
    ProblemType(
        slug="path-refused",
        status=400,
        title="The path leads out of the service's API",
        meaning="The path could lead a server to another place than the connection's API, or it "
        "cannot be sent. Nothing was sent.",
        mend="Write the path as the service's documentation does, without dot segments. A slash "
        "within a segment is written %2F.",
    ),
    ProblemType(
        slug="header-refused",
        status=400,
        title="A header cannot be sent",
        meaning="A header holds a character that no server takes. Nothing was sent.",
        mend="Leave out line breaks and other control characters, and spaces at the ends.",
    ),
    ProblemType(
        slug="key-refused",
        status=401,
        title="No key that counts",
        meaning="There is no key in “Authorization: Bearer <key>”, or it is wrong or revoked. "
        "All of these look alike, so that nobody learns which keys exist.",
        mend="Compare the beginning of the key with the list on the application's page Keys, and "
        "create another one there if yours is revoked.",
    ),
    ProblemType(
        slug="user-token-required",
        status=401,
        title="The call needs to say for whom it is",
        meaning="Each person uses his own authorization of this connection, and the call names "
        "nobody.",
        mend="Send the token that the application was given when the person opened it as "
        "“Console-User: <token>”.",
    ),
    ProblemType(
        slug="user-token-refused",
        status=401,
        title="The token of the person does not count",
        meaning="It has expired, was signed for another application, organization or "
        "environment, or its person does not belong to the organization any more.",
        mend="Ask the person to open the application again: that gives it a new token.",
    ),
    ProblemType(
        slug="license-ended",
        status=403,
        title="The license of the application has ended",
        meaning="The client whose key this is may not use the application any more. Nothing was "
        "sent, and nothing was deleted.",
        mend="Who shared the application can prolong the license. Then the same key works again.",
    ),
    ProblemType(
        slug="not-found",
        status=404,
        title="Nothing is at this address",
        meaning="The address is none of this API's, or names nothing that your key reaches.",
        mend="Look at /api/v1/openapi.json. Addresses end with a slash where it says so.",
    ),
    ProblemType(
        slug="connection-not-found",
        status=404,
        title="No such connection in this environment",
        meaning="The application has no connection of this link name where your key is valid.",
        mend="Look at GET /api/v1/connections/. In Stage a connection is there once a release "
        "holds it.",
    ),
    ProblemType(
        slug="function-not-found",
        status=404,
        title="No such function in this environment",
        meaning="The application has no function or workflow of this link name where your key is "
        "valid.",
        mend="Compare the link name with the component's page. Publish it, if your key is Stage's.",
    ),
    ProblemType(
        slug="method-not-allowed",
        status=405,
        title="Another method is needed",
        meaning="The address is there, but not for this method.",
        mend="The header Allow names the methods that it takes.",
    ),
    ProblemType(
        slug="authorization-required",
        status=409,
        title="Somebody has to authorize the connection",
        meaning="Nobody has authorized the connection here, the person himself has not, or the "
        "service does not take the authorization any more.",
        mend="Lead the person to “authorize_url”, and repeat the call afterwards.",
    ),
    ProblemType(
        slug="authorization-broken",
        status=409,
        title="The authorization does not work any more",
        meaning="The service has withdrawn the authorization or lets it be renewed no more. It "
        "is not asked again until a person authorizes.",
        mend="Lead the person to “authorize_url”, and repeat the call afterwards.",
    ),
    ProblemType(
        slug="request-timeout",
        status=408,
        title="The request came too slowly",
        meaning="Its body took longer to arrive than the console waits. Nothing was done.",
        mend="Send it again over a better line, or in smaller parts.",
    ),
    ProblemType(
        slug="length-required",
        status=411,
        title="The request does not say how long it is",
        meaning="Its body comes in chunks (Transfer-Encoding), and the server that runs this "
        "console cannot tell whether such a body is whole or its sender went away. Nothing was "
        "sent. Send Content-Length.",
        mend="Give your HTTP library the whole body, or a file, and not a stream: then it sends "
        "Content-Length.",
    ),
    ProblemType(
        slug="request-too-large",
        status=413,
        title="The request is too large",
        meaning="Its body is larger than what this address takes.",
        mend="Send less at a time.",
    ),
    ProblemType(
        slug="address-too-long",
        status=414,
        title="The address is too long",
        meaning="Path and query together are longer than what the console sends. Nothing was sent.",
        mend="Ask for less at a time, or send a long query in the body where the service takes it.",
    ),
    ProblemType(
        slug="too-many-wrong-keys",
        status=429,
        title="Too many wrong keys",
        meaning="More wrong keys came from one network address than anybody mistypes.",
        mend="Wait as long as Retry-After says. Keys that worked before go on working.",
    ),
    ProblemType(
        slug="internal-error",
        status=500,
        title="The console has failed",
        meaning="Something in the console went wrong that should not.",
        mend="Try again later. Whoever runs the console finds the reason in its log.",
    ),
    ProblemType(
        slug="upgrade-not-supported",
        status=501,
        title="WebSockets are not passed on",
        meaning="The request asks to go on as a WebSocket. Nothing was sent.",
        mend="Use the service's HTTP API: a stream of events is passed on as it comes.",
    ),
    ProblemType(
        slug="service-unreachable",
        status=502,
        title="The service gives no answer",
        meaning="Nothing answers at the service's address, its certificate is not valid, or it "
        "broke off before it had answered.",
        mend="Repeat the call later, but one that changes something only after you have looked "
        "whether it arrived.",
    ),
    ProblemType(
        slug="service-forbidden",
        status=502,
        title="The console does not call this address",
        meaning="The service's address leads into a private network, or is not one that the "
        "console can call. Nothing was sent.",
        mend="Compare the connection's settings. Whoever runs the console can allow a private "
        "host with ALLOWED_PRIVATE_HOSTS.",
    ),
    ProblemType(
        slug="service-gone",
        status=502,
        title="The service is not in the catalogue any more",
        meaning="The console does not know how this service is called. Nothing was sent.",
        mend="Whoever runs the console can put its definition back into the catalogue.",
    ),
    ProblemType(
        slug="answer-too-large",
        status=502,
        title="The service's answer is too large",
        meaning="It is larger than what this console passes on.",
        mend="Ask for less at a time. The call has been made.",
    ),
    ProblemType(
        slug="answer-unintelligible",
        status=502,
        title="The service's answer is not HTTP as it should be",
        meaning="What the service sent cannot be passed on.",
        mend="Look at the service whether the call was made, and tell who runs it.",
    ),
    ProblemType(
        slug="service-busy",
        status=503,
        title="Too many calls to the service at once",
        meaning="As many calls to the service are under way as may be. Nothing was sent.",
        mend="Repeat the call after as many seconds as Retry-After says.",
    ),
    ProblemType(
        slug="console-busy",
        status=503,
        title="Too many calls at once",
        meaning="As many calls are under way as may be for one key, or in the console altogether. "
        "Nothing was sent.",
        mend="Repeat the call after as many seconds as Retry-After says, and make fewer at once.",
    ),
    ProblemType(
        slug="renewal-failed",
        status=503,
        title="The access token cannot be renewed now",
        meaning="The access token has ended, or the service's API has refused it, and the "
        "service gives no new one now. The call was not made. The authorization stays: nobody "
        "has to authorize again.",
        mend="Repeat the call after as many seconds as Retry-After says. “detail” says why the "
        "token was not renewed, and who can act if it does not pass.",
    ),
    ProblemType(
        slug="service-timeout",
        status=504,
        title="The service did not answer in time",
        meaning="The service took longer than the console waits. The call may have been made.",
        mend="Repeat the call later, but one that changes something only after you have looked "
        "whether it arrived.",
    ),
    ProblemType(
        slug="loop",
        status=508,
        title="The call goes round in a circle",
        meaning="The address of the service leads back to this console.",
        mend="Compare the connection's settings.",
    ),
    ProblemType(
        slug="unavailable",
        status=503,
        title="The console cannot do this now",
        meaning="The console does not reach its database. Nothing was sent to a service.",
        mend="Repeat the call after as many seconds as Retry-After says.",
    ),
)
#: Every kind by the last part of its address.
KINDS: Mapping[str, ProblemType] = {kind.slug: kind for kind in _KINDS}


class Problem(Exception):
    """What an answer of the API tells instead of what was asked for.

    ``members`` stand in the document beside those of RFC 9457, such as ``authorize_url``.
    """

    def __init__(
        self,
        slug: str,
        detail: str = "",
        *,
        headers: Mapping[str, str] | None = None,
        **members: Any,
    ) -> None:
        self.kind = KINDS[slug]
        self.detail = detail or self.kind.meaning
        self.members = members
        self.headers = {
            "Content-Type": MEDIA_TYPE,
            # A service may answer with problems, too: this says whose it is.
            "Console-Problem": slug,
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
            **(headers or {}),
        }
        super().__init__(self.detail)

    @classmethod
    def of(cls, refused: AuthenticationFailed) -> Problem:
        """Tell why a request was not let in."""
        return cls(refused.slug, str(refused), headers=refused.headers)

    @property
    def status(self) -> int:
        return self.kind.status

    @property
    def document(self) -> dict[str, Any]:
        return {
            "type": self.kind.uri,
            "title": self.kind.title,
            "status": self.status,
            "detail": self.detail,
            **self.members,
        }

    @property
    def body(self) -> bytes:
        return json.dumps(self.document, ensure_ascii=False).encode()

    @property
    def response(self) -> HttpResponse:
        return HttpResponse(self.body, status=self.status, headers=self.headers)


@lru_cache(maxsize=100)
def status_line(status: int) -> str:
    """Return a status as WSGI takes it, whatever number a service has made up."""
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return f"{status} Status"
