"""Set the active organization, which a URL names, as in ``/o/studio/apps/``.

The middleware removes the prefix before the URL is resolved, and sets it as the script prefix, so
that ``reverse`` adds it to every URL of the response. Django does the same for a site that is
mounted below a path. Views, templates and models need no code for it.
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
from console.accounts.policy import RouteRule, RowTarget, Target, rule_for

Result = TypeVar("Result")
_PREFIXED = re.compile(r"/o/(?P<slug>[-\w]+)(?P<rest>/.*)?", re.ASCII | re.DOTALL)
#: The cookie with the organization that a person used last. It gives no access.
LAST_USED_COOKIE = "console-organization"
LAST_USED_MAX_AGE = 365 * 24 * 60 * 60


class ActiveOrganizationMiddleware:
    """Set ``request.organization`` and limit the person's permissions to it.

    It is None if the URL names no organization and the person has several.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, plain_request: HttpRequest) -> HttpResponseBase:
        request = cast(ConsoleRequest, plain_request)
        request.organization = None
        request.memberships = cast(Any, SimpleLazyObject(partial(_memberships, request)))
        request.root, request.prefix = get_script_prefix(), ""
        match = _PREFIXED.fullmatch(request.path_info)
        if match is None:
            return self.get_response(request)
        request.prefix = f"{request.root}o/{match['slug']}/"
        if request.user.is_authenticated:
            request.organization = request.user.acting_in = _own_organization(
                request, match["slug"]
            )
        request.path_info = request.META["PATH_INFO"] = match["rest"] or "/"
        request.path = f"{request.prefix[:-1]}{request.path_info}"
        request.META["SCRIPT_NAME"] = request.prefix[:-1]
        if request.organization is None:
            # The sign-in page has the same URL for all organizations.
            return self.get_response(request)
        response = _with_script_prefix(request.prefix, partial(self.get_response, request))
        if isinstance(response, StreamingHttpResponse) and not isinstance(response, FileResponse):
            # The body is generated after this middleware has returned.
            parts = cast(Iterable[bytes], response.streaming_content)
            response.streaming_content = _parts_with_script_prefix(request.prefix, parts)
        return _remember(request, response)

    def process_view(
        self, plain_request: HttpRequest, view: Any, args: Any, kwargs: dict[str, Any]
    ) -> HttpResponseBase | None:
        """Redirect to the URL with or without an organization, as the route's rule requires."""
        request = cast(ConsoleRequest, plain_request)
        rule = rule_for(request.resolver_match)
        if rule is None:
            return None
        if rule.target is Target.NONE:
            return _redirect(request, request.root) if request.prefix else None
        if request.prefix or not request.user.is_authenticated:
            return None
        if len(request.memberships) == 1:
            request.organization = request.memberships[0].organization
            return None
        is_read = request.method in ("GET", "HEAD")
        if not request.memberships or not is_read or rule.any_organization:
            return None
        organization = _choose_organization(request, rule, kwargs)
        return (
            _redirect(request, organization_root(request, organization)) if organization else None
        )


def active_roles(request: ConsoleRequest) -> set[str]:
    """Return the person's roles in the active organization or, without one, in all of theirs."""
    return {
        membership.role
        for membership in request.memberships
        if request.organization in (None, membership.organization)
    }


def organization_root(request: ConsoleRequest, organization: Organization) -> str:
    """Return the path with which the URLs of an organization begin."""
    return f"{request.root}o/{organization.slug}/"


def url_in(request: ConsoleRequest, organization: Organization, url: str) -> str:
    """Return a URL that was made for this request as the URL of another organization.

    For people with only one organization, URLs need not name it.
    """
    if len(request.memberships) == 1 and not request.prefix:
        return url
    path = url.removeprefix(request.prefix or request.root)
    return organization_root(request, organization) + path


def _memberships(request: ConsoleRequest) -> list[Membership]:
    if not request.user.is_authenticated:
        return []
    rows = Membership.objects.active().filter(user=request.user).select_related("organization")
    memberships = list(rows.order_by("organization__name", "organization__slug"))
    request.user.memberships_read = memberships
    return memberships


def _own_organization(request: ConsoleRequest, slug: str) -> Organization:
    for membership in request.memberships:
        if membership.organization.slug == slug:
            return membership.organization
    raise Http404


def _choose_organization(
    request: ConsoleRequest, rule: RouteRule, arguments: dict[str, Any]
) -> Organization | None:
    """Return the organization of the row in the URL, or else the one that was used last.

    A row that the person may not see has the same result as a row that does not exist.
    """
    own = [membership.organization for membership in request.memberships]
    allowed = [
        membership.organization
        for membership in request.memberships
        if rule.allows([membership.role], operator=request.user.is_superuser)
    ]
    if isinstance(rule.target, RowTarget):
        owners = _owners(rule, rule.target, request.user, arguments)
        candidates = [each for each in allowed if each.pk in owners]
    else:
        candidates = allowed or own
    last = request.COOKIES.get(LAST_USED_COOKIE)
    return next((each for each in candidates if each.slug == last), next(iter(candidates), None))


def _owners(rule: RouteRule, row: RowTarget, user: Any, arguments: dict[str, Any]) -> set[Any]:
    """Return the keys of the organizations that own the row, as far as the person may see it."""
    model = apps.get_model(row.model)
    rows = model._default_manager.filter(**{row.by: arguments[row.by]})
    if hasattr(rows, "visible_to"):  # the route's role may not be enough to see every row
        rows = rows.visible_to(user)
    elif hasattr(rows, "allowing"):
        rows = rows.allowing(user, rule.audience)
    if row.person:
        rows = rows.filter(Q(**{row.person: user}) | Q(**{row.person: None}))
    return set(rows.values_list(row.organization, flat=True))


def _redirect(request: ConsoleRequest, start: str) -> HttpResponseRedirect:
    """Redirect to the same page below another start; 307 repeats a POST there."""
    rest = request.get_full_path().removeprefix(request.prefix or request.root)
    is_read = request.method in ("GET", "HEAD")
    return HttpResponseRedirect(start + rest, preserve_request=not is_read)


def _remember(request: ConsoleRequest, response: HttpResponseBase) -> HttpResponseBase:
    """Set the cookie with the organization that the person used last."""
    slug = request.organization.slug if request.organization else ""
    is_page = request.method == "GET" and response.status_code == 200
    is_new = request.COOKIES.get(LAST_USED_COOKIE) != slug
    if is_page and is_new and len(request.memberships) > 1:
        response.set_cookie(
            LAST_USED_COOKIE,
            slug,
            max_age=LAST_USED_MAX_AGE,
            secure=settings.SESSION_COOKIE_SECURE,
            httponly=True,
            samesite="Lax",
        )
    return response


def _with_script_prefix(prefix: str, make: Callable[[], Result]) -> Result:
    before = get_script_prefix()
    set_script_prefix(prefix)
    try:
        return make()
    finally:
        set_script_prefix(before)


def _parts_with_script_prefix(prefix: str, parts: Iterable[bytes]) -> Iterator[bytes]:
    remaining, end = iter(parts), object()
    while (part := _with_script_prefix(prefix, lambda: next(remaining, end))) is not end:
        yield cast(bytes, part)
