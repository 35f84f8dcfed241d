"""Enforce the access policy of routes, before any view runs."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, NoReturn, cast

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase

from console.accounts.active_organization import active_roles
from console.accounts.authority import NotAllowed
from console.accounts.http import ConsoleRequest
from console.accounts.policy import Audience, RouteRule, rule_for

logger = logging.getLogger(__name__)


class PolicyMiddleware:
    """Reject requests that the route's rule does not allow, and all routes without a rule.

    It checks roles; querysets check which rows a person may reach, and rights for applications.
    Requests without sign-in are left to ``LoginRequiredMiddleware``, which runs after this.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(
        self, plain_request: HttpRequest, view: Any, args: Any, kwargs: dict[str, Any]
    ) -> None:
        request = cast(ConsoleRequest, plain_request)
        rule = rule_for(request.resolver_match)
        if rule is None:
            logger.error("No rule in console/accounts/policy.py: %s", request.resolver_match)
            raise Http404
        if rule.audience is Audience.PUBLIC or not request.user.is_authenticated:
            return
        if not rule.allows(active_roles(request), operator=request.user.is_superuser):
            _deny(rule)

    def process_exception(self, request: HttpRequest, exception: Exception) -> None:
        """Answer people who lost their permission during the request as if before it."""
        rule = rule_for(request.resolver_match)
        if isinstance(exception, NotAllowed) and rule is not None:
            _deny(rule)


def _deny(rule: RouteRule) -> NoReturn:
    if rule.denied_status == 404:
        raise Http404
    raise PermissionDenied
