"""The runtime API (django-ninja): operations, authentication and error handlers."""

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

from connections.calls.errors import CallRefused
from connectors.errors import ServiceBusy
from connectors.http.payloads import parse_json
from connectors.version import VERSION
from console.components.document_limits import FILE, too_large
from console.components.json_source import MAX_FAULTS
from console.keys.authentication import KeyHolder, authenticate
from console.keys.errors import AuthenticationFailed
from console.runtime import connection_api, function_api
from console.runtime.caller import Program
from console.runtime.concurrency_limits import acquire_for_key
from console.runtime.openapi import DESCRIPTION, complete_schema
from console.runtime.problem_details import Problem, problem_of

logger = logging.getLogger(__name__)


class KeyAuth(HttpAuthBase):
    """Authenticate by the API key in ``Authorization: Bearer <key>``."""

    openapi_scheme = "bearer"

    def __call__(self, request: HttpRequest) -> KeyHolder:
        holder = authenticate(request.META)
        acquire_for_key(holder, request.META)
        return holder


class StrictParser(Parser):
    """Parse JSON with the limits of the console, and without values that a database refuses."""

    def parse_body(self, request: HttpRequest) -> Any:
        body = request.body
        if message := too_large(body.decode("utf-8", "replace"), FILE):
            raise Problem("request-invalid", f"The request was not accepted. {message}")
        return parse_json(body, max_values=FILE.values)


class RuntimeAPI(NinjaAPI):
    """The API of django-ninja, with the proxy and the problems added to its OpenAPI schema."""

    def get_openapi_schema(self, **options: Any) -> Any:
        return complete_schema(super().get_openapi_schema(**options))


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
    """List the application's connections in the key's environment."""
    return connection_api.list_connections(_program(request))


@api.get(
    "connections/{slug:link_name}/",
    response=connection_api.ConnectionOut,
    operation_id="read_connection",
)
def connection_detail(request: HttpRequest, link_name: str) -> Any:
    """Return one connection, and whether it works for the person named in the request."""
    return connection_api.read_connection(_program(request), link_name)


@api.post(
    "functions/{slug:link_name}/run", response=function_api.RunOut, operation_id="run_function"
)
def function_run(request: HttpRequest, link_name: str, body: function_api.RunIn) -> Any:
    """Run a function or a workflow, and return the result of each of its calls."""
    return function_api.run_function(_program(request), link_name, body.input)


def _program(request: Any) -> Program:
    return Program.of(request.META, request.auth)


@api.exception_handler(Problem)
def _problem(request: HttpRequest, problem: Any) -> HttpResponse:
    return problem.response


@api.exception_handler(AuthenticationFailed)
@api.exception_handler(CallRefused)
def _refused(request: HttpRequest, error: Any) -> HttpResponse:
    return problem_of(error).response


@api.exception_handler(ServiceBusy)
def _busy(request: HttpRequest, busy: Any) -> HttpResponse:
    response = problem_of(busy).response
    # Django would log a 503 as an error of the console.
    setattr(response, "_has_been_logged", True)  # noqa: B010  (private, so mypy does not know it)
    return response


@api.exception_handler(ValidationError)
def _invalid(request: HttpRequest, error: Any) -> HttpResponse:
    # The values are not repeated: they may be secret, and responses end up in logs.
    errors = [
        {"at": ".".join(str(step) for step in fault["loc"][2:]), "problem": fault["msg"]}
        for fault in error.errors[:MAX_FAULTS]
    ]
    detail = "; ".join(f"{each['at'] or 'body'}: {each['problem']}" for each in errors)
    if more := len(error.errors) - len(errors):
        detail += f"; and {more} more"
    return Problem(
        "request-invalid", f"The request was not accepted. {detail}.", errors=errors
    ).response


@api.exception_handler(HttpError)
def _unreadable(request: HttpRequest, error: Any) -> HttpResponse:
    # Ninja wraps whatever the parser raises.
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
