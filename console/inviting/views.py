"""What the link in the mail leads to.

The token leaves the address at once: it goes into a cookie for this room alone, and the page
stands at an address that may be logged, linked from and returned to.
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

#: Holds the token while somebody signs in, or chooses a password.
COOKIE = "console-invitation"
KEPT_FOR = 60 * 60
NOT_THERE = (
    "This link leads to no invitation. Open the link of the newest mail, as a whole; or ask who "
    "invited you to send it again."
)


# Whoever is invited has no account yet, or is not signed in.
@login_not_required
@never_cache
@require_safe
def invitation_open(request: ConsoleRequest, token: str) -> HttpResponse:
    """Lead from the link to the page, or say why it leads nowhere."""
    invitation = accepting.find(token)
    problem = accepting.why_closed(invitation) if invitation else NOT_THERE
    if problem:
        response = _closed(request, problem, 410 if invitation else 404)
    else:
        response = SeeOther(reverse("invitation_detail"))
        response.set_cookie(
            COOKIE,
            token,
            max_age=KEPT_FOR,
            path=reverse("invitation_detail"),
            secure=settings.SESSION_COOKIE_SECURE,
            httponly=True,
            samesite="Lax",
        )
    response["Referrer-Policy"] = "no-referrer"
    return response


@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def invitation_detail(request: ConsoleRequest) -> HttpResponse:
    """Say who invites to what; a POST accepts it, once."""
    invitation = accepting.find(request.COOKIES.get(COOKIE, ""))
    if invitation is None:
        return _closed(request, NOT_THERE, 404)
    if problem := accepting.why_closed(invitation):
        return _closed(request, problem, 410)
    user = request.user if request.user.is_authenticated else None
    if user and not accepting.is_for(invitation, user):
        return render(
            request, "inviting/invitation_other.html", {"invitation": invitation}, status=403
        )
    known = user is None and account_of(invitation.email) is not None
    posted = request.method == "POST" and not known
    form = AcceptForm(request.POST if posted else None, invitation=invitation, user=user)
    if posted and form.is_valid():
        try:
            return _accept(request, invitation, user, form)
        except InvitationRefused as refused:
            return _closed(request, str(refused), 409)
    context = {"invitation": invitation, "form": form, "known": known}
    return render(
        request, "inviting/invitation_detail.html", context, status=422 if posted else 200
    )


def _accept(
    request: ConsoleRequest, invitation: Invitation, user: User | None, form: AcceptForm
) -> HttpResponse:
    if user:
        row = accepting.accept(invitation, user, **form.answer)
        answer: HttpResponse = SeeOther(reverse("home"))
    else:
        name = form.answer["client_name"]
        user = accepting.join(invitation, form.cleaned_data["password"], client_name=name)
        row = invitation
        record_authentication(request, user, "password")
        answer = perform_login(request, user, redirect_url=reverse("home"))
    if row.is_for_client:
        words = f"Your organization is a client of {row.organization} now."
    else:
        words = f"You are {row.get_role_display().lower()} of {row.organization} now."
    messages.success(request, words)
    answer.delete_cookie(COOKIE, path=reverse("invitation_detail"))
    return answer


def _closed(request: ConsoleRequest, problem: str, status: int) -> HttpResponse:
    return render(request, "inviting/invitation_closed.html", {"problem": problem}, status=status)
