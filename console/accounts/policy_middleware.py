"""The policy table at the door: before any view, and whatever the view does itself."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, NoReturn, cast

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase

from console.accounts.authority import NotAllowed
from console.accounts.http import ConsoleRequest
from console.accounts.policy import Rule, Who, rule_of

logger = logging.getLogger(__name__)


class PolicyMiddleware:
    """Close every route without a rule, and each other one for the roles that it refuses.

    Which rows a role reaches, and what was given to a person besides, is the querysets' matter.
    Who is not signed in is left to ``LoginRequiredMiddleware``, which comes after this.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(
        self, plain: HttpRequest, view: Any, args: Any, kwargs: dict[str, Any]
    ) -> None:
        request = cast(ConsoleRequest, plain)
        rule = rule_of(request.resolver_match)
        if rule is None:
            logger.error("No rule in console/accounts/policy.py: %s", request.resolver_match)
            raise Http404
        if rule.who is Who.PUBLIC or not request.user.is_authenticated:
            return
        roles = [
            membership.role
            for membership in request.memberships
            if request.user.acting_in in (None, membership.organization)
        ]
        if rule.admits(roles, operator=request.user.is_superuser):
            return
        _refuse(rule)

    def process_exception(self, request: HttpRequest, exception: Exception) -> None:
        """Answer who lost his authority while he acted as if he had come after that."""
        rule = rule_of(request.resolver_match)
        if isinstance(exception, NotAllowed) and rule is not None:
            _refuse(rule)


def _refuse(rule: Rule) -> NoReturn:
    if rule.refusal == 404:
        raise Http404
    raise PermissionDenied
