"""Reauthentication: require the password again before sensitive changes.

It protects accounts whose session was stolen. People who signed in or reauthenticated within
``ACCOUNT_REAUTHENTICATION_TIMEOUT`` are not asked. If a form arrives later than that, it is kept
in the session, encrypted, and submitted after reauthentication. allauth would store it in plain
text, although it may contain a client secret.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from functools import wraps
from typing import Any, cast

from allauth.account.authentication import get_authentication_records
from allauth.account.internal.flows.reauthentication import stash_and_reauthenticate
from allauth.core.exceptions import ReauthenticationRequired
from django.conf import settings
from django.contrib import admin, messages
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


def authenticated_recently(request: HttpRequest) -> bool:
    """Tell whether the person has signed in or reauthenticated within the timeout."""
    if not request.user.is_authenticated:
        return False
    records = get_authentication_records(request, request.user)
    limit = settings.ACCOUNT_REAUTHENTICATION_TIMEOUT
    return bool(records) and time.time() - records[-1]["at"] < limit


def reauthentication_required(view: View) -> View:
    """Require reauthentication before a page is shown or its form is processed."""

    @wraps(view)
    def reauthenticate_first(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.is_authenticated or authenticated_recently(request):
            return view(request, *args, **kwargs)
        if request.method == "POST":
            return _keep_form(request)
        raise ReauthenticationRequired

    return reauthenticate_first


class ReauthenticationMixin(admin.ModelAdmin):
    """An admin page that requires reauthentication to add, change or delete rows."""

    @method_decorator(reauthentication_required)
    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        return super().changeform_view(request, *args, **kwargs)

    @method_decorator(reauthentication_required)
    def delete_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        return super().delete_view(request, *args, **kwargs)

    def changelist_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Require reauthentication for actions on selected rows, but not to see the list."""
        view: View = super().changelist_view
        if request.method == "POST":
            view = reauthentication_required(view)
        return view(request, *args, **kwargs)


def resume(request: HttpRequest, state: dict[str, str]) -> HttpResponseBase:
    """Process the form that was kept (called by allauth after reauthentication)."""
    path = state["path"]
    try:
        decrypted = decrypt_text(
            state["sealed"],
            purpose=_purpose(request),
            max_age=settings.ACCOUNT_REAUTHENTICATION_TIMEOUT,
        )
    except SecretUnreadable:
        messages.warning(
            request,
            "The form has expired because reauthentication took too long. Nothing was changed. "
            "Enter it again.",
        )
        return SeeOther(path)
    form = json.loads(decrypted)
    request.method = "POST"
    request.path_info = path.removeprefix(get_script_prefix()[:-1])
    request.path = path
    request.GET = QueryDict(form["get"])
    request.POST = cast(Any, QueryDict(form["post"]))
    request.META |= {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": request.path_info,
        "QUERY_STRING": form["get"],
    }
    return ActiveOrganizationMiddleware(_call_view)(request)


def _call_view(request: HttpRequest) -> HttpResponseBase:
    """Check the access policy again and call the view of the request's URL."""
    request.resolver_match = match = resolve(request.path_info)
    PolicyMiddleware(_call_view).process_view(request, match.func, match.args, match.kwargs)
    response = match.func(request, *match.args, **match.kwargs)
    # Render now: ``reverse`` uses the organization's URL prefix only within the middleware.
    return response.render() if isinstance(response, SimpleTemplateResponse) else response


def _keep_form(request: HttpRequest) -> HttpResponse:
    """Keep the submitted form in the session, encrypted, and ask for the password."""
    form = json.dumps({"get": request.GET.urlencode(), "post": request.POST.urlencode()})
    state = {"path": request.path, "sealed": encrypt_text(form, purpose=_purpose(request))}
    messages.info(
        request,
        "You entered your password more than ten minutes ago. Enter it again to save the form; "
        "what you entered is kept.",
    )
    return stash_and_reauthenticate(request, state, RESUME)


def _purpose(request: HttpRequest) -> str:
    return f"set aside by {request.user.pk}"
