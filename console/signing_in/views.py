"""The pages Security, e-mail addresses and sessions."""

from __future__ import annotations

from typing import Any, cast

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.reauthentication import raise_if_reauthentication_required
from allauth.account.views import EmailView
from allauth.mfa.models import Authenticator
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from console import mail
from console.accounts.http import SeeOther, SignedInRequest
from console.accounts.models import User
from console.signing_in import demo_accounts, email_changes
from console.signing_in.browser_sessions import active_sessions, sign_out_elsewhere
from console.signing_in.ended_session import UNSAVED
from console.signing_in.factors import is_exposed

NO_MAIL = (
    "Nothing was changed: this console has no mail server and so cannot confirm that an address "
    "is yours. An operator can change your address in Administration."
)


@never_cache
@require_safe
def security(request: SignedInRequest) -> HttpResponse:
    """Show the person's second factors, recovery codes and sessions."""
    factors = Authenticator.objects.filter(user=request.user).order_by("created_at")
    by_type = {kind: [row for row in factors if row.type == kind] for kind in Authenticator.Type}
    apps, passkeys = by_type[Authenticator.Type.TOTP], by_type[Authenticator.Type.WEBAUTHN]
    codes = by_type[Authenticator.Type.RECOVERY_CODES]
    return render(
        request,
        "account/security.html",
        {
            "app": next(iter(apps), None),
            "passkeys": passkeys,
            "protected": bool(apps or passkeys),
            "codes": codes[0] if codes else None,
            "codes_left": len(codes[0].wrap().get_unused_codes()) if codes else 0,
            "exposed": is_exposed(request),
            "sessions": active_sessions(request),
        },
    )


@require_http_methods(["GET", "HEAD", "POST"])
def sessions(request: SignedInRequest) -> HttpResponse:
    """List the person's sessions; a POST ends all others."""
    if request.method == "POST":
        sign_out_elsewhere(request)
        messages.info(request, "You were signed out everywhere else.")
        return redirect("usersessions_list")
    context = {"sessions": active_sessions(request)}
    return render(request, "usersessions/usersession_list.html", context)


@never_cache
@require_safe
def form_return(request: SignedInRequest) -> HttpResponse:
    """Redirect to the page of a form that was submitted without a session, and say so."""
    page = request.GET.get("to", "")
    messages.warning(
        request,
        "You were signed out, so the form was not saved. Check it and send it again.",
        extra_tags=UNSAVED,
    )
    is_ours = url_has_allowed_host_and_scheme(page, allowed_hosts=None)
    return redirect(page if is_ours else reverse("home"))


@require_POST
def demo_account(request: SignedInRequest) -> HttpResponseBase:
    """Change to another account of the demo; elsewhere there is none."""
    accounts = demo_accounts.other_accounts(request.user)
    account = get_object_or_404(accounts, email=request.POST.get("email", ""))
    return demo_accounts.change_account(request, account)


class AddressesView(EmailView):
    """Add an address, make one primary, or remove one.

    Each change is recorded, and mailed to the previous primary address. A new address is added
    only once the code that was mailed to it is entered.
    """

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        rows = self.request.user.emailaddress_set.filter(verified=False)
        return super().get_context_data(unconfirmed=rows.exists(), **kwargs)

    def form_valid(self, form: Any) -> HttpResponse:
        user, email = self.request.user, form.cleaned_data["email"]
        raise_if_reauthentication_required(self.request, app="allauth.account")
        if mail.is_off():
            messages.error(self.request, NO_MAIL)
            return SeeOther(reverse("account_email"))
        email_changes.claim(user, email)
        response = super().form_valid(form)
        get_adapter().send_notification_mail(
            "account/email/email_claimed", user, {"address": email}
        )
        return response

    def _action_send(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse | None:
        """Mail a code to confirm an unconfirmed address of the account."""
        address = self._get_email_address(request)
        if address is None or address.verified:
            return None
        if mail.is_off():
            messages.error(request, NO_MAIL)
            return None
        return super()._action_send(request, *args, **kwargs)

    def _action_primary(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        address = self._get_email_address(request)
        if address is None:
            return
        raise_if_reauthentication_required(request, app="allauth.account")
        if not address.verified:
            messages.error(
                request,
                f"Nothing was changed: {address} is not confirmed. Enter the code that was mailed "
                "to it first.",
            )
        elif not address.primary:
            user = cast(User, request.user)
            before = user.email
            email_changes.make_primary(address, user)
            messages.success(request, f"{address} is now your primary address.")
            get_adapter().send_notification_mail(
                "account/email/email_changed",
                user,
                {"from_email": before, "to_email": address.email},
                before,
            )

    def _action_remove(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        address = self._get_email_address(request)
        if address is None:
            return
        raise_if_reauthentication_required(request, app="allauth.account")
        user = cast(User, request.user)
        if address.primary or address.email == user.email:
            messages.error(
                request,
                f"{address} was not removed because it is your primary address. Make another "
                "address primary first.",
            )
            return
        email_changes.remove(address, user)
        messages.success(request, f"{address} was removed from your account.")
        recipients = {user.email, address.email} if address.verified else {user.email}
        for email in sorted(recipients):
            get_adapter().send_notification_mail(
                "account/email/email_deleted", user, {"deleted_email": address.email}, email
            )


email = AddressesView.as_view()
