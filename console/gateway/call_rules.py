"""The rules for all calls, as nginx needs them: lists of headers, limits and problem documents.

nginx asks for them once and again when their version changes.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from django.conf import settings

from connections.calls.proxy_request import (
    DROPPED_IN_REQUEST,
    DROPPED_REQUEST_HEADER,
    FOR_SERVERS,
    HOP_BY_HOP,
    REPLACED_IN_REQUEST,
    loop_token,
)
from connections.calls.proxy_response import (
    ADDED,
    DROPPED_IN_RESPONSE,
    DROPPED_RESPONSE_HEADER,
    LINK_HEADERS,
    REPLACED_IN_RESPONSE,
    URL_HEADERS,
)
from connectors.http.bulkhead import BUSY_SECONDS
from connectors.http.connection_pool import CallLimits
from connectors.http.http_client import user_agent
from connectors.http.ssrf import MAX_TARGET_LENGTH
from connectors.http.stream import EVENT_STREAM_TYPES
from console.monitoring.request_ids import HEADER
from console.runtime.problem_details import Problem

#: What nginx says itself; every other problem comes from the Python path.
_PROBLEMS = (
    "service-unreachable",
    "service-timeout",
    "answer-too-large",
    "answer-unintelligible",
    "service-busy",
    "console-busy",
    "internal-error",
    "request-timeout",
)


def call_rules() -> dict[str, Any]:
    """Return the rules, and as ``version`` a hash of them."""
    limits = CallLimits()
    rules = {
        "request": {
            "replaced": sorted(HOP_BY_HOP | REPLACED_IN_REQUEST),
            "dropped": sorted(DROPPED_IN_REQUEST | FOR_SERVERS | {"cookie"}),
            "dropped_header": DROPPED_REQUEST_HEADER,
        },
        "response": {
            "replaced": sorted(HOP_BY_HOP | REPLACED_IN_RESPONSE),
            "dropped": sorted(DROPPED_IN_RESPONSE | FOR_SERVERS | {"set-cookie"}),
            "urls": sorted(URL_HEADERS),
            "links": sorted(LINK_HEADERS),
            "added": ADDED,
            "dropped_header": DROPPED_RESPONSE_HEADER,
            "request_id_headers": ["Console-Request-Id", HEADER],
        },
        "loop_token": loop_token(),
        "user_agent": user_agent(),
        "max_target_length": MAX_TARGET_LENGTH,
        "connect_seconds": limits.connect,
        "seconds": settings.PROXY_SECONDS,
        "event_stream_types": sorted(EVENT_STREAM_TYPES),
        "stream_seconds": settings.PROXY_STREAM_SECONDS,
        "bytes_a_second": limits.bytes_a_second,
        "max_bytes": settings.PROXY_MAX_ANSWER_BYTES,
        "at_once": settings.PROXY_CALLS_AT_ONCE_PER_SERVICE,
        "at_once_per_key": settings.PROXY_CALLS_AT_ONCE_PER_KEY,
        "busy_seconds": BUSY_SECONDS,
        "problems": {slug: _problem(slug) for slug in _PROBLEMS},
    }
    version = hashlib.sha256(json.dumps(rules).encode()).hexdigest()[:16]
    return {**rules, "version": version}


def _problem(slug: str) -> dict[str, Any]:
    problem = Problem(slug)
    return {
        "status": problem.status,
        "headers": dict(problem.headers),
        "body": problem.body.decode(),
    }
