"""The problem types of the runtime API: slug, status, title, meaning and what to do.

The page ``/problems/<slug>/`` explains each of them to a person.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.conf import settings


@dataclass(frozen=True, kw_only=True)
class ProblemType:
    """A type of problem (RFC 9457 section 3.1.1); ``slug`` is the last part of its URI."""

    slug: str
    status: int
    title: str
    meaning: str
    fix: str

    @property
    def uri(self) -> str:
        return f"{settings.PUBLIC_URL}/problems/{self.slug}"


_TYPES = (
    ProblemType(
        slug="request-invalid",
        status=400,
        title="The request is not valid",
        meaning="A field is missing, or its value is not what the API description asks for.",
        fix="“errors” names each field. The API description is at /api/v1/openapi.json.",
    ),
    ProblemType(
        slug="key-in-address",
        status=400,
        title="The URL contains an API key",
        meaning="URLs are written to logs and histories, where others can read them.",
        fix="Send the key as “Authorization: Bearer <key>”. Revoke the key that was in the URL.",
    ),
    ProblemType(
        slug="path-refused",
        status=400,
        title="The path leads out of the service's API",
        meaning="A server could resolve the path to a place outside the connection's API, or the "
        "path cannot be sent. Nothing was sent.",
        fix="Write the path as the service's documentation does, without dot segments. Write a "
        "slash within a segment as %2F.",
    ),
    ProblemType(
        slug="header-refused",
        status=400,
        title="A header cannot be sent",
        meaning="A header contains a character that servers do not accept. Nothing was sent.",
        fix="Remove line breaks, other control characters, and spaces at the start and end.",
    ),
    ProblemType(
        slug="key-refused",
        status=401,
        title="Invalid or missing API key",
        meaning="There is no key in “Authorization: Bearer <key>”, or the key is wrong or revoked. "
        "The response is the same in each case, so that nobody learns which keys exist.",
        fix="Compare the start of the key with the list on the application's page Keys. If the "
        "key is revoked, create a new one there.",
    ),
    ProblemType(
        slug="user-token-required",
        status=401,
        title="The call must name a person",
        meaning="Each person uses their own authorization of this connection, and the call does "
        "not "
        "name a person.",
        fix="Send the token that the application received when the person opened it as "
        "“Console-User: <token>”.",
    ),
    ProblemType(
        slug="user-token-refused",
        status=401,
        title="The person's token is not valid",
        meaning="It has expired, was signed for another application, organization or "
        "environment, or "
        "its person no longer belongs to the organization.",
        fix="Ask the person to open the application again, which gives it a new token.",
    ),
    ProblemType(
        slug="license-ended",
        status=403,
        title="The license of the application has ended",
        meaning="The organization that this key belongs to may no longer use the application. "
        "Nothing was sent, and nothing was deleted.",
        fix="The organization that shared the application can extend the license. Then the same "
        "key works again.",
    ),
    ProblemType(
        slug="not-found",
        status=404,
        title="Not found",
        meaning="The URL is not part of this API, or names nothing that your key has access to.",
        fix="See /api/v1/openapi.json. End URLs with a slash where it says so.",
    ),
    ProblemType(
        slug="connection-not-found",
        status=404,
        title="No such connection in this environment",
        meaning="The application has no connection with this link name in the environment of your "
        "key.",
        fix="See GET /api/v1/connections/. Stage has the connections of the release that is "
        "published there.",
    ),
    ProblemType(
        slug="function-not-found",
        status=404,
        title="No such function in this environment",
        meaning="The application has no function or workflow with this link name in the "
        "environment "
        "of your key.",
        fix="Compare the link name with the component's page. If your key is for Stage, publish "
        "the component.",
    ),
    ProblemType(
        slug="method-not-allowed",
        status=405,
        title="Method not allowed",
        meaning="This URL does not support the method of the request.",
        fix="The Allow header lists the methods that it supports.",
    ),
    ProblemType(
        slug="request-timeout",
        status=408,
        title="The request took too long to arrive",
        meaning="Its body took longer to arrive than the console waits. Nothing was done.",
        fix="Send it again over a faster connection, or in smaller parts.",
    ),
    ProblemType(
        slug="connection-disabled",
        status=409,
        title="The connection is disabled",
        meaning="A developer of the application has disabled the connection in all environments. "
        "Nothing was sent. Its authorizations are kept.",
        fix="Do not repeat the call for now. It works again, with the same authorization, once a "
        "developer enables the connection on its page.",
    ),
    ProblemType(
        slug="authorization-required",
        status=409,
        title="The connection needs authorization",
        meaning="The connection is not authorized here, the person has not authorized it, or the "
        "service no longer accepts the authorization.",
        fix="Send the person to “authorize_url”, then repeat the call.",
    ),
    ProblemType(
        slug="authorization-broken",
        status=409,
        title="The authorization no longer works",
        meaning="The service has withdrawn the authorization, or no longer renews it. The "
        "service is "
        "not asked again until a person authorizes.",
        fix="Send the person to “authorize_url”, then repeat the call.",
    ),
    ProblemType(
        slug="request-too-large",
        status=413,
        title="The request is too large",
        meaning="Its body is larger than this URL accepts.",
        fix="Send less at a time.",
    ),
    ProblemType(
        slug="address-too-long",
        status=414,
        title="The URL is too long",
        meaning="Path and query together are longer than the console sends. Nothing was sent.",
        fix="Ask for less at a time, or send a long query in the body if the service supports it.",
    ),
    ProblemType(
        slug="too-many-wrong-keys",
        status=429,
        title="Too many wrong keys",
        meaning="Too many wrong keys came from one network address.",
        fix="Wait for the seconds in Retry-After. Keys that worked before still work.",
    ),
    ProblemType(
        slug="internal-error",
        status=500,
        title="Internal error",
        meaning="Something went wrong in the console.",
        fix="Try again later. The operator of the console finds the reason in its log.",
    ),
    ProblemType(
        slug="asgi-required",
        status=501,
        title="This server makes no proxied calls",
        meaning="Proxied calls run on an event loop, and the console was started without one. "
        "Nothing was sent.",
        fix="Start the console with “granian --interface asginl … console.asgi:application”, as "
        "the operator's guide says.",
    ),
    ProblemType(
        slug="service-unreachable",
        status=502,
        title="The service did not answer",
        meaning="The service cannot be reached, its certificate is not valid, or it closed the "
        "connection before it had answered.",
        fix="Repeat the call later. If the call changes something, first check in the service "
        "whether it arrived.",
    ),
    ProblemType(
        slug="service-forbidden",
        status=502,
        title="The console does not call this URL",
        meaning="The service's URL leads into a private network, or the console cannot call it. "
        "Nothing was sent.",
        fix="Check the connection's settings. The operator of the console can allow a private "
        "host with ALLOWED_PRIVATE_HOSTS.",
    ),
    ProblemType(
        slug="service-gone",
        status=502,
        title="The service is no longer in the catalog",
        meaning="The console does not know how to call this service. Nothing was sent.",
        fix="The operator of the console can put its definition back into the catalog.",
    ),
    ProblemType(
        slug="answer-too-large",
        status=502,
        title="The service's response is too large",
        meaning="It is larger than this console passes on.",
        fix="Ask for less at a time. The call was made.",
    ),
    ProblemType(
        slug="answer-unintelligible",
        status=502,
        title="The service's response is not valid HTTP",
        meaning="What the service sent cannot be passed on.",
        fix="Check in the service whether the call was made, and report it to the service.",
    ),
    ProblemType(
        slug="service-busy",
        status=503,
        title="Too many calls to the service at once",
        meaning="The limit for simultaneous calls to this service is reached. Nothing was sent.",
        fix="Repeat the call after the seconds in Retry-After.",
    ),
    ProblemType(
        slug="console-busy",
        status=503,
        title="Too many calls at once",
        meaning="The limit for simultaneous calls with one key, or in the whole console, is "
        "reached. "
        "Nothing was sent.",
        fix="Repeat the call after the seconds in Retry-After, and make fewer calls at once.",
    ),
    ProblemType(
        slug="renewal-failed",
        status=503,
        title="The access token cannot be renewed now",
        meaning="The access token has expired, or the service's API has refused it, and the "
        "service "
        "does not issue a new one now. The call was not made. The authorization remains "
        "valid, so nobody has to authorize again.",
        fix="Repeat the call after the seconds in Retry-After. “detail” says why the token was "
        "not renewed, and who can act if the problem stays.",
    ),
    ProblemType(
        slug="unavailable",
        status=503,
        title="The console is temporarily unavailable",
        meaning="The console cannot reach its database. Nothing was sent to a service.",
        fix="Repeat the call after the seconds in Retry-After.",
    ),
    ProblemType(
        slug="service-timeout",
        status=504,
        title="The service did not answer in time",
        meaning="The service took longer than the console waits. The call may have been made.",
        fix="Repeat the call later. If the call changes something, first check in the service "
        "whether it arrived.",
    ),
    ProblemType(
        slug="loop",
        status=508,
        title="The call is in a loop",
        meaning="The service's URL leads back to this console.",
        fix="Check the connection's settings.",
    ),
)
#: All problem types by their slug.
PROBLEM_TYPES: Mapping[str, ProblemType] = {each.slug: each for each in _TYPES}
