"""Changes of an account are mailed to its previous primary address."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.core import mail
from django.test import Client
from django.urls import reverse

from tests.signing_in.conftest import PASSWORD, code_of

SECOND = "second@studio.example"
NEW = "entirely-new-9"


@pytest.fixture
def second(developer) -> EmailAddress:
    return EmailAddress.objects.create(user=developer, email=SECOND, verified=True)


@pytest.fixture
def posted(developer, sign_in) -> Callable[..., Client]:
    """Send a form as the developer; return the recipients and subjects of the mails."""
    client, _ = sign_in(developer)

    def post(name: str, **data: str) -> list[tuple[str, str]]:
        mail.outbox.clear()
        client.post(reverse(name), data)
        return [(each.to[0], each.subject) for each in mail.outbox]

    return post


def test_requesting_an_address_notifies_the_primary_address(developer, posted):
    mails = posted("account_email", email=SECOND, action_add="")
    assert (developer.email, "Request to add an address to your account") in mails
    assert (SECOND, "Confirm your e-mail address for Developer Console") in mails


def test_confirming_an_address_notifies_the_primary_address(developer, posted):
    posted("account_email", email=SECOND, action_add="")
    [message] = [each for each in mail.outbox if each.to == [SECOND]]
    code = message.body.split("15 minutes:\n")[1].split()[0]
    mails = posted("account_email_verification_sent", code=code)
    assert mails == [(developer.email, "An address was added to your account")]


def test_changing_the_primary_address_notifies_the_previous_one(developer, second, posted):
    mails = posted("account_email", email=SECOND, action_primary="")
    assert mails == [(developer.email, "Your primary address was changed")]


def test_removing_an_address_notifies_both(developer, second, posted):
    mails = posted("account_email", email=SECOND, action_remove="")
    assert mails == [
        (each, "An address was removed from your account") for each in (developer.email, SECOND)
    ]


def test_the_primary_address_cannot_be_removed(developer, second, posted):
    assert posted("account_email", email=developer.email, action_remove="") == []
    assert EmailAddress.objects.filter(user=developer).count() == 2


def test_changing_the_password_notifies(developer, posted):
    form = {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW}
    assert posted("account_change_password", **form) == [
        (developer.email, "Your password was changed")
    ]


def test_turning_the_app_off_notifies(developer, app_secret, posted):
    app_secret(developer)
    assert posted("mfa_deactivate_totp") == [
        (developer.email, "The authenticator app was turned off")
    ]


def test_showing_recovery_codes_notifies(developer, recovery_codes, sign_in):
    recovery_codes(developer)
    client, _ = sign_in(developer)
    mail.outbox.clear()
    for _ in range(2):
        client.get(reverse("mfa_view_recovery_codes"))
    assert [each.subject for each in mail.outbox] == ["Your recovery codes were shown"]


def test_using_a_recovery_code_notifies(developer, app_secret, recovery_codes, sign_in):
    app_secret(developer)
    [code, *_] = recovery_codes(developer)
    client, _ = sign_in(developer)
    mail.outbox.clear()
    client.post(reverse("mfa_authenticate"), {"code": code})
    assert [(each.to[0], each.subject) for each in mail.outbox] == [
        (developer.email, "A recovery code was used")
    ]


def test_using_a_code_of_the_app_does_not_notify(developer, app_secret, sign_in):
    secret = app_secret(developer)
    client, _ = sign_in(developer)
    mail.outbox.clear()
    client.post(reverse("mfa_authenticate"), {"code": code_of(secret)})
    assert mail.outbox == []


def test_removal_of_a_factor_by_an_operator_notifies(developer, app_secret, operator, signed_in):
    app_secret(developer)
    ticked = {
        "action": "delete_selected",
        "_selected_action": Authenticator.objects.get().pk,
        "post": "yes",
    }
    signed_in(operator).post(reverse("admin:mfa_authenticator_changelist"), ticked)
    [message] = mail.outbox
    assert message.to == [developer.email]
    assert "operator@console.example, an operator of this console, removed" in message.body


def test_a_password_set_by_an_operator_notifies(developer, operator, signed_in):
    place = reverse("admin:auth_user_password_change", args=[developer.pk])
    form = {"usable_password": "true", "password1": NEW, "password2": NEW}
    signed_in(operator).post(place, form)
    [message] = mail.outbox
    assert message.to == [developer.email]
    assert "set another password for your account" in message.body


def test_a_failing_mail_server_undoes_nothing(developer, second, sign_in, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9  # nothing listens there
    client, _ = sign_in(developer)
    form = {"email": SECOND, "action_primary": ""}
    page = client.post(reverse("account_email"), form, follow=True).content.decode()
    assert "The mail could not be sent" in page
    developer.refresh_from_db()
    assert developer.email == SECOND


def test_links_in_mail_use_the_public_url(developer, second, sign_in, settings):
    settings.ALLOWED_HOSTS = ["testserver", "other.example"]
    client, _ = sign_in(developer)
    mail.outbox.clear()
    form = {"email": SECOND, "action_primary": ""}
    client.post(reverse("account_email"), form, HTTP_HOST="other.example:666")
    client.post(reverse("account_reset_password"), {"email": SECOND}, HTTP_HOST="other.example:666")
    assert len(mail.outbox) == 2
    for message in mail.outbox:
        assert "other.example" not in message.body
    assert f"\n{settings.PUBLIC_URL}/accounts/password/reset/key/" in mail.outbox[1].body
