"""Requests and answers as this console's views know them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponseRedirect

if TYPE_CHECKING:
    from django_htmx.middleware import HtmxDetails

    from console.accounts.models import Membership, Organization, User


class ConsoleRequest(HttpRequest):
    """A request behind ``ActiveOrganizationMiddleware``, for annotations.

    ``prefix`` is where its address begins if it names an organization, ``root`` where the
    console's addresses begin otherwise.
    """

    user: Any
    organization: Organization | None
    memberships: Sequence[Membership]
    prefix: str
    root: str


class SignedInRequest(ConsoleRequest):
    """A request behind ``LoginRequiredMiddleware`` and django-htmx, for annotations."""

    user: User
    htmx: HtmxDetails


class SeeOther(HttpResponseRedirect):
    """303: what was posted is done, look there (RFC 9110 section 15.4.4)."""

    status_code = 303


#: So many results are shown one by one; the rest is counted.
_MAX_SHOWN = 8


def say_each(request: SignedInRequest, sentences: Sequence[str]) -> None:
    """Show what became of each account that was revoked, and where to read about the others."""
    for sentence in sentences[:_MAX_SHOWN]:
        messages.info(request, sentence)
    if (rest := len(sentences) - _MAX_SHOWN) > 0:
        messages.info(
            request, f"{rest} more accounts were erased here. Activity says what services did."
        )
