"""Changes of addresses and second factors, by their owner and by an operator."""

from __future__ import annotations

import re

from allauth.account.models import EmailAddress
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.core import mail
from django.urls import reverse

from tests.audit.world import World
from tests.signing_in.conftest import code_of

SECOND = "second@studio.example"


def _post(w: World, page: str, **data: str):
    client = w.browser(w.developer)
    return lambda: client.post(reverse(page), data)


def _second(w: World) -> EmailAddress:
    return EmailAddress.objects.create(user=w.developer, email=SECOND, verified=True)


def address_claimed(w: World):
    return _post(w, "account_email", email=SECOND, action_add="")


def address_confirmed(w: World):
    client = w.browser(w.developer)
    client.post(reverse("account_email"), {"email": SECOND, "action_add": ""})
    [message] = [each for each in mail.outbox if each.to == [SECOND]]
    code = re.search(r"15 minutes:\n(\S+)", message.body)[1]
    mail.outbox.clear()
    return lambda: client.post(reverse("account_email_verification_sent"), {"code": code})


def address_confirmed_by_an_operator(w: World):
    EmailAddress.objects.filter(user=w.developer).update(verified=False, primary=False)
    row = EmailAddress.objects.get(user=w.developer)
    ticked = {"action": "confirm", "_selected_action": row.pk}
    return w.admin("account_emailaddress_changelist", **ticked)


def address_changed(w: World):
    _second(w)
    return _post(w, "account_email", email=SECOND, action_primary="")


def address_removed(w: World):
    _second(w)
    return _post(w, "account_email", email=SECOND, action_remove="")


def _app(w: World):
    return TOTP.activate(w.developer, generate_totp_secret()).instance


def factor_added(w: World):
    RecoveryCodes.activate(w.developer)
    client = w.browser(w.developer)
    client.get(reverse("mfa_activate_totp"))
    code = code_of(client.session["mfa.totp.secret"])
    return lambda: client.post(reverse("mfa_activate_totp"), {"code": code})


def factor_removed(w: World):
    _app(w)
    return _post(w, "mfa_deactivate_totp")


def factor_removed_by_an_operator(w: World):
    return w.admin("mfa_authenticator_delete", _app(w).pk, post="yes")


def codes_generated(w: World):
    _app(w)
    return _post(w, "mfa_generate_recovery_codes")


def codes_viewed(w: World):
    RecoveryCodes.activate(w.developer)
    client = w.browser(w.developer)
    return lambda: client.get(reverse("mfa_view_recovery_codes"))


def code_used(w: World):
    _app(w)
    [code, *_] = RecoveryCodes.activate(w.developer).get_unused_codes()
    return _post(w, "mfa_reauthenticate", code=code)
