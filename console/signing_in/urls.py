"""Sign-in routes: django-allauth's, and views that replace or wrap some of them.

Views that change addresses or second factors are wrapped in a unit of work, so that audit events
are saved with the change. These routes come first and have allauth's names and URLs.
"""

from __future__ import annotations

from allauth.account.views import email_verification_sent
from allauth.mfa.base import views as factors
from allauth.mfa.recovery_codes import views as codes
from allauth.mfa.totp import views as app
from allauth.mfa.webauthn import views as passkeys
from django.urls import include, path

from console.signing_in.unit_of_work import unit_of_work
from console.signing_in.views import demo_account, email, form_return, security, sessions

urlpatterns = [
    path("email/", unit_of_work(email), name="account_email"),
    path(
        "confirm-email/",
        unit_of_work(email_verification_sent),
        name="account_email_verification_sent",
    ),
    # Replaces allauth's page of second factors, which has the same URL.
    path("2fa/", security, name="security"),
    path("2fa/authenticate/", unit_of_work(factors.authenticate), name="mfa_authenticate"),
    path("2fa/reauthenticate/", unit_of_work(factors.reauthenticate), name="mfa_reauthenticate"),
    path("2fa/totp/activate/", unit_of_work(app.activate_totp), name="mfa_activate_totp"),
    path("2fa/totp/deactivate/", unit_of_work(app.deactivate_totp), name="mfa_deactivate_totp"),
    path(
        "2fa/recovery-codes/",
        unit_of_work(codes.view_recovery_codes),
        name="mfa_view_recovery_codes",
    ),
    path(
        "2fa/recovery-codes/generate/",
        unit_of_work(codes.generate_recovery_codes),
        name="mfa_generate_recovery_codes",
    ),
    path(
        "2fa/recovery-codes/download/",
        unit_of_work(codes.download_recovery_codes),
        name="mfa_download_recovery_codes",
    ),
    path("2fa/webauthn/add/", unit_of_work(passkeys.add_webauthn), name="mfa_add_webauthn"),
    path(
        "2fa/webauthn/keys/<int:pk>/remove/",
        unit_of_work(passkeys.remove_webauthn),
        name="mfa_remove_webauthn",
    ),
    path("return/", form_return, name="form_return"),
    path("demo/", demo_account, name="demo_account"),
    path("sessions/", sessions, name="usersessions_list"),
    path("", include("allauth.urls")),
]
