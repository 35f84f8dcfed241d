"""Pages with all by which a person proves who he is: Security, addresses, sessions."""

from __future__ import annotations

from typing import Any, cast

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.reauthentication import raise_if_reauthentication_required
from allauth.account.views import EmailView
from allauth.mfa.models import Authenticator
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from console import mail
from console.accounts.http import SeeOther, SignedInRequest
from console.accounts.models import User
from console.signing_in import email_changes
from console.signing_in.browser_sessions import browsers_of, sign_out_elsewhere
from console.signing_in.factors import is_exposed

NO_MAIL = (
    "Nothing was changed: this console has no mail server, so it cannot find out whether an "
    "address is yours. An operator can change your address in Administration."
)


@never_cache
@require_safe
def security(request: SignedInRequest) -> HttpResponse:
    """Show password, second factors, recovery codes and where the person is signed in."""
    mine = Authenticator.objects.filter(user=request.user).order_by("created_at")
    of = {kind: [row for row in mine if row.type == kind] for kind in Authenticator.Type}
    codes = of[Authenticator.Type.RECOVERY_CODES]
    return render(
        request,
        "account/security.html",
        {
            "app": next(iter(of[Authenticator.Type.TOTP]), None),
            "passkeys": of[Authenticator.Type.WEBAUTHN],
            "protected": bool(of[Authenticator.Type.TOTP] or of[Authenticator.Type.WEBAUTHN]),
            "codes": codes[0] if codes else None,
            "codes_left": len(codes[0].wrap().get_unused_codes()) if codes else 0,
            "exposed": is_exposed(request.user),
            "browsers": browsers_of(request),
        },
    )


@require_http_methods(["GET", "HEAD", "POST"])
def sessions(request: SignedInRequest) -> HttpResponse:
    """List where the person is signed in; a POST signs out everywhere else."""
    if request.method == "POST":
        sign_out_elsewhere(request)
        messages.info(request, "You are signed out everywhere but here.")
        return redirect("usersessions_list")
    context = {"browsers": browsers_of(request)}
    return render(request, "usersessions/usersession_list.html", context)


class AddressesView(EmailView):
    """The addresses of an account: add one, make another the primary one, remove one.

    Each is an event, and a mail to the primary address from before. An address that is added is
    a claim until the code that was mailed to it comes back.
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
        """Mail a code to the own address of an account that nobody has confirmed yet."""
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
                f"Nothing was changed: {address} is not confirmed. Type in the code that was "
                "mailed to it first.",
            )
        elif not address.primary:
            before = request.user.email
            email_changes.make_primary(address, cast(User, request.user))
            messages.success(request, f"{address} is your primary address now.")
            get_adapter().send_notification_mail(
                "account/email/email_changed",
                request.user,
                {"from_email": before, "to_email": address.email},
                before,
            )

    def _action_remove(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        address = self._get_email_address(request)
        if address is None:
            return
        raise_if_reauthentication_required(request, app="allauth.account")
        if address.primary or address.email == request.user.email:
            messages.error(
                request,
                f"{address} was not removed: you sign in with it. Make another address the "
                "primary one first.",
            )
            return
        email_changes.remove(address, cast(User, request.user))
        messages.success(request, f"{address} was removed from your account.")
        told = {address.email, request.user.email} if address.verified else {request.user.email}
        for email in sorted(told):
            get_adapter().send_notification_mail(
                "account/email/email_deleted", request.user, {"deleted_email": address.email}, email
            )


email = AddressesView.as_view()
