"""The password again, before what would hurt most in the hands of a thief of sessions.

Who signed in or gave his password within ``ACCOUNT_REAUTHENTICATION_TIMEOUT`` is not asked.
A form that was sent too late is set aside, sealed, and done after the password: allauth
would keep it in the session as it is, and it may hold a client's secret.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from functools import wraps
from typing import Any

from allauth.account.authentication import get_authentication_records
from allauth.account.internal.flows.reauthentication import stash_and_reauthenticate
from allauth.core.exceptions import ReauthenticationRequired
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.template.response import SimpleTemplateResponse
from django.urls import get_script_prefix, resolve
from django.utils.decorators import method_decorator

from console.accounts.active_organization import ActiveOrganizationMiddleware
from console.accounts.http import SeeOther
from console.accounts.policy_middleware import PolicyMiddleware
from console.encryption.fernet_keys import SecretUnreadable, decrypt_text, encrypt_text

View = Callable[..., HttpResponseBase]
RESUME = "console.signing_in.reauthentication.resume"


def signed_in_lately(request: HttpRequest) -> bool:
    """Tell whether the person has proved who he is within the last minutes."""
    if not request.user.is_authenticated:
        return False
    records = get_authentication_records(request, request.user)
    limit = settings.ACCOUNT_REAUTHENTICATION_TIMEOUT
    return bool(records) and time.time() - records[-1]["at"] < limit


def password_again(view: View) -> View:
    """Ask for the password before a page is shown, or before what it sent is done."""

    @wraps(view)
    def ask_first(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.is_authenticated or signed_in_lately(request):
            return view(request, *args, **kwargs)
        if request.method == "POST":
            return _set_aside(request)
        raise ReauthenticationRequired

    return ask_first


class PasswordAgainMixin:
    """An admin page that asks for the password before rows are made, changed or deleted."""

    @method_decorator(password_again)
    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        return super().changeform_view(request, *args, **kwargs)  # type: ignore[misc]

    @method_decorator(password_again)
    def delete_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        return super().delete_view(request, *args, **kwargs)  # type: ignore[misc]

    def changelist_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Ask for what is done to the ticked rows; looking at the list needs no password."""
        view = super().changelist_view  # type: ignore[misc]
        if request.method == "POST":
            view = password_again(view)
        return view(request, *args, **kwargs)


def resume(request: HttpRequest, state: dict[str, str]) -> HttpResponseBase:
    """Do what was sent before the password was asked for (called by allauth)."""
    path = state["path"]
    try:
        sealed = decrypt_text(
            state["sealed"],
            purpose=_purpose(request),
            max_age=settings.ACCOUNT_REAUTHENTICATION_TIMEOUT,
        )
    except SecretUnreadable:
        messages.warning(
            request,
            "You took so long that what you had sent was thrown away. Nothing was changed. "
            "Type it in once more.",
        )
        return SeeOther(path)
    sent = json.loads(sealed)
    request.method = "POST"
    request.path_info = path.removeprefix(get_script_prefix()[:-1])
    request.path = path
    request.GET = QueryDict(sent["get"])
    request.POST = QueryDict(sent["post"])  # type: ignore[assignment]
    request.META |= {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": request.path_info,
        "QUERY_STRING": sent["get"],
    }
    return ActiveOrganizationMiddleware(_do)(request)


def _do(request: HttpRequest) -> HttpResponseBase:
    """Call the view that the address leads to, if it is still for this person."""
    request.resolver_match = match = resolve(request.path_info)
    PolicyMiddleware(_do).process_view(request, match.func, match.args, match.kwargs)
    response = match.func(request, *match.args, **match.kwargs)
    # Its addresses are those of the organization as long as this lasts.
    return response.render() if isinstance(response, SimpleTemplateResponse) else response


def _set_aside(request: HttpRequest) -> HttpResponse:
    sent = json.dumps({"get": request.GET.urlencode(), "post": request.POST.urlencode()})
    state = {"path": request.path, "sealed": encrypt_text(sent, purpose=_purpose(request))}
    messages.info(
        request,
        "You gave your password more than ten minutes ago. What you typed is kept: it is saved "
        "as soon as you have given the password again.",
    )
    return stash_and_reauthenticate(request, state, RESUME)


def _purpose(request: HttpRequest) -> str:
    return f"set aside by {request.user.pk}"
