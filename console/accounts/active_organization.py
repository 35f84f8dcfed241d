"""The active organization: the one that an address names, as in ``/o/studio/apps/``.

The prefix is taken off before the address is resolved and given back to every address that
is made meanwhile, just as Django does for a console below a path of its server. So no view,
template or model knows of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any, TypeVar, cast

from django.apps import apps
from django.conf import settings
from django.db.models import Q
from django.http import (
    FileResponse,
    Http404,
    HttpRequest,
    HttpResponseRedirect,
    StreamingHttpResponse,
)
from django.http.response import HttpResponseBase
from django.urls import get_script_prefix, set_script_prefix
from django.utils.functional import SimpleLazyObject

from console.accounts.http import ConsoleRequest
from console.accounts.models import Membership, Organization
from console.accounts.policy import Of, PolicyRow, Rule, rule_of

Made = TypeVar("Made")
_NAMED = re.compile(r"/o/(?P<slug>[-\w]+)(?P<rest>/.*)?", re.ASCII | re.DOTALL)
#: Where somebody with several organizations was last; it opens nothing.
LAST = "console-organization"
LAST_FOR = 365 * 24 * 60 * 60


class ActiveOrganizationMiddleware:
    """Set ``request.organization`` and narrow everything that the person reaches to it.

    It is None where the address names none and the person has several.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, plain: HttpRequest) -> HttpResponseBase:
        request = cast(ConsoleRequest, plain)
        request.organization = None
        request.memberships = cast(Any, SimpleLazyObject(partial(_memberships, request)))
        request.root, request.prefix = get_script_prefix(), ""
        named = _NAMED.fullmatch(request.path_info)
        if named is None:
            return self.get_response(request)
        request.prefix = f"{request.root}o/{named['slug']}/"
        if request.user.is_authenticated:
            request.organization = request.user.acting_in = _own(request, named["slug"])
        request.path_info = request.META["PATH_INFO"] = named["rest"] or "/"
        request.path = f"{request.prefix[:-1]}{request.path_info}"
        request.META["SCRIPT_NAME"] = request.prefix[:-1]
        if request.organization is None:
            # Where to sign in does not depend on where one was going.
            return self.get_response(request)
        response = _within(request.prefix, partial(self.get_response, request))
        if isinstance(response, StreamingHttpResponse) and not isinstance(response, FileResponse):
            # It is written when this has long returned.
            parts = cast(Iterable[bytes], response.streaming_content)
            response.streaming_content = _parts(request.prefix, parts)
        return _remember(request, response)

    def process_view(
        self, plain: HttpRequest, view: Any, args: Any, kwargs: dict[str, Any]
    ) -> HttpResponseBase | None:
        """Lead to the address with the organization, or without one, that the route asks for."""
        request = cast(ConsoleRequest, plain)
        rule = rule_of(request.resolver_match)
        if rule is None:
            return None
        if rule.of is Of.NOTHING:
            return _redirect(request, request.root) if request.prefix else None
        if request.prefix or not request.user.is_authenticated:
            return None
        if len(request.memberships) == 1:
            request.organization = request.memberships[0].organization
        elif request.memberships and request.method in ("GET", "HEAD") and not rule.across:
            organization = _meant(request, rule, kwargs)
            return _redirect(request, home_of(request, organization)) if organization else None
        return None


def home_of(request: ConsoleRequest, organization: Organization) -> str:
    """Return where the addresses of an organization begin."""
    return f"{request.root}o/{organization.slug}/"


def address_in(request: ConsoleRequest, organization: Organization, address: str) -> str:
    """Return an address that was made for this request as it is in one organization.

    Somebody with one organization needs none in it.
    """
    here = request.prefix or request.root
    if len(request.memberships) == 1 and not request.prefix:
        return address
    return home_of(request, organization) + address.removeprefix(here)


def _memberships(request: ConsoleRequest) -> list[Membership]:
    if not request.user.is_authenticated:
        return []
    rows = Membership.objects.active().filter(user=request.user).select_related("organization")
    return list(rows.order_by("organization__name", "organization__slug"))


def _own(request: ConsoleRequest, slug: str) -> Organization:
    for membership in request.memberships:
        if membership.organization.slug == slug:
            return membership.organization
    raise Http404


def _meant(request: ConsoleRequest, rule: Rule, arguments: dict[str, Any]) -> Organization | None:
    """Return whose row the address names, or else the organization that the person used last.

    A row that he may not see names none: it must not differ from one that is not there.
    """
    mine = [membership.organization for membership in request.memberships]
    open_to_him = [
        membership.organization
        for membership in request.memberships
        if rule.admits([membership.role], operator=request.user.is_superuser)
    ]
    if isinstance(rule.of, PolicyRow):
        owners = _owners(rule, rule.of, request.user, arguments)
        candidates = [each for each in open_to_him if each.pk in owners]
    else:
        candidates = open_to_him or mine
    last = request.COOKIES.get(LAST)
    return next((each for each in candidates if each.slug == last), next(iter(candidates), None))


def _owners(rule: Rule, row: PolicyRow, user: Any, arguments: dict[str, Any]) -> set[Any]:
    model = apps.get_model(row.model)
    rows = model._default_manager.filter(**{row.by: arguments[row.by]})
    if hasattr(rows, "visible_to"):  # not every role sees all that it opens the page of
        rows = rows.visible_to(user)
    elif hasattr(rows, "allowing"):
        rows = rows.allowing(user, rule.who)
    if row.person:
        rows = rows.filter(Q(**{row.person: user}) | Q(**{row.person: None}))
    return set(rows.values_list(row.organization, flat=True))


def _redirect(request: ConsoleRequest, start: str) -> HttpResponseRedirect:
    """Lead to the same address that begins otherwise; a form is sent there again."""
    rest = request.get_full_path().removeprefix(request.prefix or request.root)
    again = request.method not in ("GET", "HEAD")
    return HttpResponseRedirect(start + rest, preserve_request=again)


def _remember(request: ConsoleRequest, response: HttpResponseBase) -> HttpResponseBase:
    slug = request.organization.slug if request.organization else ""
    is_page = request.method == "GET" and response.status_code == 200
    if is_page and len(request.memberships) > 1 and request.COOKIES.get(LAST) != slug:
        response.set_cookie(
            LAST,
            slug,
            max_age=LAST_FOR,
            secure=settings.SESSION_COOKIE_SECURE,
            httponly=True,
            samesite="Lax",
        )
    return response


def _within(prefix: str, make: Callable[[], Made]) -> Made:
    """Do something while every address that is made begins with the prefix."""
    before = get_script_prefix()
    set_script_prefix(prefix)
    try:
        return make()
    finally:
        set_script_prefix(before)


def _parts(prefix: str, parts: Iterable[bytes]) -> Iterator[bytes]:
    remaining, end = iter(parts), object()
    while (part := _within(prefix, lambda: next(remaining, end))) is not end:
        yield cast(bytes, part)
