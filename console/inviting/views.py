"""The pages behind the link in an invitation.

The first view moves the token from the URL into a cookie and redirects. So the page that people
see has a URL without the token, which may be logged or sent as a referrer.
"""

from __future__ import annotations

from allauth.account.internal.flows.login import record_authentication
from allauth.account.utils import perform_login
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from console.accounts.email_addresses import account_of
from console.accounts.http import ConsoleRequest, SeeOther
from console.accounts.models import User
from console.inviting import accepting
from console.inviting.forms import AcceptForm
from console.inviting.inviting import InvitationRefused
from console.inviting.models import Invitation

#: The cookie with the token, kept while a person signs in or chooses a password.
COOKIE = "console-invitation"
COOKIE_MAX_AGE = 60 * 60
NOT_FOUND = (
    "This link is not valid. Open the complete link from the newest mail, or ask the person who "
    "invited you to send the invitation again."
)


# No sign-in: invited people may have no account yet.
@login_not_required
@never_cache
@require_safe
def invitation_open(request: ConsoleRequest, token: str) -> HttpResponse:
    """Redirect from the mailed link to the invitation, or say why it is closed."""
    invitation = accepting.find(token)
    problem = accepting.why_closed(invitation) if invitation else NOT_FOUND
    if problem:
        response = _closed(request, problem, 410 if invitation else 404)
    else:
        response = SeeOther(reverse("invitation_detail"))
        response.set_cookie(
            COOKIE,
            token,
            max_age=COOKIE_MAX_AGE,
            path=reverse("invitation_detail"),
            secure=settings.SESSION_COOKIE_SECURE,
            httponly=True,
            samesite="Lax",
        )
    response["Referrer-Policy"] = "no-referrer"
    return response


# No sign-in: invited people may have no account yet.
@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def invitation_detail(request: ConsoleRequest) -> HttpResponse:
    """Show an invitation; a POST accepts it."""
    invitation = accepting.find(request.COOKIES.get(COOKIE, ""))
    if invitation is None:
        return _closed(request, NOT_FOUND, 404)
    if problem := accepting.why_closed(invitation):
        return _closed(request, problem, 410)
    user = request.user if request.user.is_authenticated else None
    if user and not accepting.is_for(invitation, user):
        return render(
            request, "inviting/invitation_other.html", {"invitation": invitation}, status=403
        )
    has_account = user is None and account_of(invitation.email) is not None
    posted = request.method == "POST" and not has_account
    form = AcceptForm(request.POST if posted else None, invitation=invitation, user=user)
    if posted and form.is_valid():
        try:
            return _accept(request, invitation, user, form)
        except InvitationRefused as error:
            return _closed(request, str(error), 409)
    context = {"invitation": invitation, "form": form, "has_account": has_account}
    return render(
        request, "inviting/invitation_detail.html", context, status=422 if posted else 200
    )


def _accept(
    request: ConsoleRequest, invitation: Invitation, user: User | None, form: AcceptForm
) -> HttpResponse:
    if user:
        row = accepting.accept(invitation, user, **form.chosen_client)
        response: HttpResponse = SeeOther(reverse("home"))
    else:
        name = form.chosen_client["client_name"]
        user = accepting.join(invitation, form.cleaned_data["password"], client_name=name)
        row = invitation
        record_authentication(request, user, "password")
        response = perform_login(request, user, redirect_url=reverse("home"))
    if row.is_for_client:
        words = f"Your organization is now a client of {row.organization}."
    else:
        words = f"You are now {row.get_role_display().lower()} of {row.organization}."
    messages.success(request, words)
    response.delete_cookie(COOKIE, path=reverse("invitation_detail"))
    return response


def _closed(request: ConsoleRequest, problem: str, status: int) -> HttpResponse:
    return render(request, "inviting/invitation_closed.html", {"problem": problem}, status=status)
