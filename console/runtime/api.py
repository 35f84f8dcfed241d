"""The runtime API: what programs of an application ask, each with its key."""

from __future__ import annotations

import logging
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError
from ninja.parser import Parser
from ninja.security.http import HttpAuthBase

from connectors.errors import ServiceBusy
from connectors.http.payloads import parse_json
from connectors.version import VERSION
from console.components.document_limits import FILE, too_large
from console.components.json_source import MAX_FAULTS
from console.keys.authentication import KeyHolder, holder_at
from console.keys.errors import AuthenticationFailed
from console.runtime import connection_api, function_api
from console.runtime.caller import Program
from console.runtime.error_to_problem import problem_of
from console.runtime.openapi import DESCRIPTION, described
from console.runtime.problem_details import Problem
from console.runtime.thread_shares import count_for

logger = logging.getLogger(__name__)


class KeyAuth(HttpAuthBase):
    """The key in ``Authorization: Bearer <key>``."""

    openapi_scheme = "bearer"

    def __call__(self, request: HttpRequest) -> KeyHolder:
        holder = holder_at(request.META)
        count_for(holder, request.META)
        return holder


class StrictParser(Parser):
    """JSON as this console reads it everywhere: nothing in it that a database refuses."""

    def parse_body(self, request: HttpRequest) -> Any:
        body = request.body
        if words := too_large(body.decode("utf-8", "replace"), FILE):
            raise Problem("request-invalid", f"The request was not taken. {words}")
        return parse_json(body, most_values=FILE.values)


class RuntimeAPI(NinjaAPI):
    """django-ninja's API; its description tells of the proxy and of problems as well."""

    def get_openapi_schema(self, **options: Any) -> Any:
        return described(super().get_openapi_schema(**options))


api = RuntimeAPI(
    title="Runtime API",
    version=VERSION,
    description=DESCRIPTION,
    urls_namespace="runtime",
    openapi_url="openapi.json",
    docs_url=None,
    auth=KeyAuth(),
    parser=StrictParser(),
)


@api.get("connections/", response=connection_api.ConnectionsOut, operation_id="list_connections")
def connection_list(request: HttpRequest) -> Any:
    """List the application's connections as they stand in the key's environment."""
    return connection_api.listed(_program(request))


@api.get(
    "connections/{slug:link_name}/",
    response=connection_api.ConnectionOut,
    operation_id="read_connection",
)
def connection_detail(request: HttpRequest, link_name: str) -> Any:
    """Tell how one connection stands, and whether it can act for the person who is named."""
    return connection_api.one(_program(request), link_name)


@api.post(
    "functions/{slug:link_name}/run", response=function_api.RunOut, operation_id="run_function"
)
def function_run(request: HttpRequest, link_name: str, body: function_api.RunIn) -> Any:
    """Run a function or a workflow, and tell what came of each of its calls."""
    return function_api.start(_program(request), link_name, body.input)


def _program(request: Any) -> Program:
    return Program.of(request.META, request.auth)


@api.exception_handler(Problem)
def _problem(request: HttpRequest, problem: Any) -> HttpResponse:
    return problem.response


@api.exception_handler(AuthenticationFailed)
def _refused(request: HttpRequest, refused: Any) -> HttpResponse:
    return Problem.of(refused).response


@api.exception_handler(ServiceBusy)
def _busy(request: HttpRequest, busy: Any) -> HttpResponse:
    response = problem_of(busy, "").response
    response._has_been_logged = True  # type: ignore[attr-defined]  # no error of the console
    return response


@api.exception_handler(ValidationError)
def _invalid(request: HttpRequest, error: Any) -> HttpResponse:
    # What was sent is not repeated: it may be what should not stand in a log.
    errors = [
        {"at": ".".join(str(step) for step in fault["loc"][2:]), "problem": fault["msg"]}
        for fault in error.errors[:MAX_FAULTS]
    ]
    told = "; ".join(f"{each['at'] or 'body'}: {each['problem']}" for each in errors)
    if more := len(error.errors) - len(errors):
        told += f"; and {more} more"
    return Problem("request-invalid", f"The request was not taken. {told}.", errors=errors).response


@api.exception_handler(HttpError)
def _unreadable(request: HttpRequest, error: Any) -> HttpResponse:
    # Ninja's own, whatever the parser has raised.
    if isinstance(error.__cause__, Problem):
        return error.__cause__.response
    return Problem(
        "request-invalid", "The body of the request is not JSON, or nested too deeply.", errors=[]
    ).response


@api.exception_handler(RequestDataTooBig)
def _too_large(request: HttpRequest, error: Any) -> HttpResponse:
    return Problem("request-too-large").response


@api.exception_handler(Exception)
def _failed(request: HttpRequest, error: Any) -> HttpResponse:
    if isinstance(error, OperationalError | InterfaceError):
        logger.error("The database did not answer: %s", type(error).__name__)
        return Problem("unavailable", headers={"Retry-After": "2"}).response
    logger.error("An operation of the runtime API has failed.", exc_info=error)
    return Problem("internal-error").response
