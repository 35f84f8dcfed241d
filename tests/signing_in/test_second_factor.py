"""Second factors: setup, sign-in, removal, recovery codes."""

from __future__ import annotations

import re
from io import StringIO

import pytest
from allauth.mfa.models import Authenticator
from cryptography.fernet import Fernet
from django.core import mail
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.urls import reverse

from console.health import unreadable_secrets
from console.health.models import UnreadableSecret
from console.monitoring.readiness import refuse_wrong_keys
from tests.signing_in.conftest import code_of, kinds, let_time_pass, wrong_code

STEP = reverse("mfa_authenticate")
ACTIVATE = reverse("mfa_activate_totp")
CODES = reverse("mfa_view_recovery_codes")
DOWNLOAD = reverse("mfa_download_recovery_codes")


@pytest.fixture
def step(sign_in):
    """Sign in with the password, up to the second step."""

    def go(user):
        client, response = sign_in(user)
        assert response["Location"] == STEP
        return client

    return go


def is_in(client) -> bool:
    return client.get(reverse("home")).status_code == 200


def errors(response) -> str:
    return " ".join(response.context["form"].errors.get("code", []))


@pytest.mark.django_db(transaction=True)
def test_setting_up_an_app_works(developer, sign_in):
    client, _ = sign_in(developer)
    page = client.get(ACTIVATE)
    assert 'src="data:image/svg+xml;base64,' in page.content.decode()
    code = code_of(page.context["form"].secret)
    response = client.post(ACTIVATE, {"code": code})
    assert response["Location"] == CODES
    assert kinds(developer) == {"totp", "recovery_codes"}
    assert mail.outbox[-1].subject == "An authenticator app was set up"
    assert mail.outbox[-1].to == [developer.email]


def test_a_wrong_code_does_not_set_up_the_app(developer, sign_in):
    client, _ = sign_in(developer)
    secret = client.get(ACTIVATE).context["form"].secret
    response = client.post(ACTIVATE, {"code": wrong_code(secret)})
    assert "wait for the next one" in errors(response)
    assert response.context["form"].secret == secret
    assert kinds(developer) == set()


def test_sign_in_requires_password_and_code(developer, step, app_secret):
    secret = app_secret(developer)
    client = step(developer)
    assert not is_in(client)
    before = client.cookies["console"].value
    response = client.post(STEP, {"code": code_of(secret)})
    assert response["Location"] == reverse("home")
    assert is_in(client)
    assert client.cookies["console"].value != before


def test_a_code_works_once(developer, step, app_secret):
    secret = app_secret(developer)
    code = code_of(secret)
    step(developer).post(STEP, {"code": code})
    other = step(developer)
    other.post(STEP, {"code": code})
    assert not is_in(other)


def test_six_wrong_codes_are_limited(developer, step, app_secret):
    secret = app_secret(developer)
    client = step(developer)
    answers = [client.post(STEP, {"code": wrong_code(secret)}) for _ in range(6)]
    assert "wait for the next one" in errors(answers[4])
    assert "Too many failed attempts" in errors(answers[5])
    client.post(STEP, {"code": code_of(secret)})
    assert not is_in(client)


def test_a_recovery_code_signs_in_once(developer, step, app_secret, recovery_codes):
    app_secret(developer)
    code = recovery_codes(developer)[0]
    client = step(developer)
    client.post(STEP, {"code": code})
    assert is_in(client)
    other = step(developer)
    response = other.post(STEP, {"code": code})
    assert "Wrong code" in errors(response)
    assert not is_in(other)


def test_a_password_without_a_code_gives_no_access(developer, step, app_secret):
    app_secret(developer)
    client = step(developer)
    for name in ("home", "security", "mfa_deactivate_totp", "account_change_password"):
        assert client.get(reverse(name)).status_code == 302
    assert client.post(reverse("mfa_deactivate_totp")).status_code == 302
    assert "totp" in kinds(developer)


def test_another_person_can_sign_in_instead(developer, super_admin, step, app_secret, sign_in):
    app_secret(developer)
    client = step(developer)
    client.post(reverse("account_logout"), {"next": reverse("account_login")})
    assert sign_in(super_admin, client=client)[1]["Location"] == reverse("home")


def test_recovery_codes_are_shown_once(developer, sign_in, app_secret, recovery_codes):
    app_secret(developer)
    codes = recovery_codes(developer)
    client, _ = sign_in(developer)
    client.post(STEP, {"code": codes.pop(0)})

    page = client.get(CODES).content.decode()
    assert re.findall(r"<li>(\d{8})</li>", page) == codes
    assert 'download="recovery-codes.txt"' in page
    again = client.get(CODES).content.decode()
    assert not any(code in again for code in codes)
    assert "cannot be shown again" in again
    assert client.get(DOWNLOAD).status_code == 403


def test_new_recovery_codes_end_the_old_ones(developer, step, app_secret, recovery_codes):
    app_secret(developer)
    old = recovery_codes(developer)
    client = step(developer)
    client.post(STEP, {"code": old[0]})
    client.post(reverse("mfa_generate_recovery_codes"))
    new = re.findall(r"<li>(\d{8})</li>", client.get(CODES).content.decode())
    assert len(new) == 10
    assert not set(new) & set(old)
    other = step(developer)
    other.post(STEP, {"code": old[1]})
    assert not is_in(other)


def test_turning_the_app_off_deletes_the_recovery_codes(
    developer, step, app_secret, recovery_codes
):
    app_secret(developer)
    client = step(developer)
    client.post(STEP, {"code": recovery_codes(developer)[0]})
    client.post(reverse("mfa_deactivate_totp"))
    assert kinds(developer) == set()
    assert mail.outbox[-1].subject == "The authenticator app was turned off"


@pytest.mark.parametrize("name", ["mfa_activate_totp", "mfa_add_webauthn"])
def test_adding_a_factor_requires_reauthentication(name, developer, sign_in):
    client, _ = sign_in(developer)
    assert client.get(reverse(name)).status_code == 200
    let_time_pass(client, 601)
    response = client.get(reverse(name))
    assert response["Location"].startswith(reverse("account_reauthenticate"))
    client.post(response["Location"], {"password": "pass-word-1"})
    assert client.get(reverse(name)).status_code == 200


@pytest.mark.parametrize(
    "name", ["mfa_deactivate_totp", "mfa_generate_recovery_codes", "mfa_view_recovery_codes"]
)
def test_removing_or_showing_factors_requires_reauthentication(
    name, developer, step, app_secret, recovery_codes
):
    app_secret(developer)
    codes = recovery_codes(developer)
    client = step(developer)
    client.post(STEP, {"code": codes[0]})
    let_time_pass(client, 601)
    response = client.get(reverse(name))
    assert response["Location"].startswith(reverse("account_reauthenticate"))
    assert codes[1] not in response.content.decode()


def test_secrets_are_encrypted_in_the_database(developer, app_secret, recovery_codes):
    secret = app_secret(developer)
    recovery_codes(developer)
    rows = {row.type: row.data for row in Authenticator.objects.all()}
    assert secret not in str(rows)
    assert rows["totp"]["secret"].startswith("gAAAA")
    assert rows["recovery_codes"]["seed"].startswith("gAAAA")


def test_its_encryption_key_can_be_rotated(developer, app_secret, recovery_codes, settings):
    secret, codes = app_secret(developer), recovery_codes(developer)
    new = Fernet.generate_key().decode()
    settings.CRYPTOGRAPHY_KEYS = [new, *settings.CRYPTOGRAPHY_KEYS]
    call_command("rotate_keys", stdout=StringIO())
    settings.CRYPTOGRAPHY_KEYS = [new]
    assert Authenticator.objects.get(type="totp").wrap().validate_code(code_of(secret))
    assert Authenticator.objects.get(type="recovery_codes").wrap().get_unused_codes() == codes


def test_a_process_that_cannot_decrypt_it_does_not_start(developer, app_secret, settings):
    app_secret(developer)
    refuse_wrong_keys()
    settings.CRYPTOGRAPHY_KEYS = [Fernet.generate_key().decode()]
    with pytest.raises(ImproperlyConfigured, match="cannot be decrypted with any key"):
        refuse_wrong_keys()


def test_a_damaged_factor_does_not_affect_the_others(developer, app_secret, recovery_codes):
    app_secret(developer)
    codes = recovery_codes(developer)
    totp = Authenticator.objects.get(type="totp")
    totp.data["secret"] = totp.data["secret"][:-9] + "é" + totp.data["secret"][-8:]
    totp.save()
    assert not totp.wrap().validate_code("123456")
    assert Authenticator.objects.get(type="recovery_codes").wrap().validate_code(codes[0])
    unreadable_secrets.check_next_rows()
    assert "second factor" in UnreadableSecret.objects.get().what
    assert UnreadableSecret.objects.get().organization == developer.memberships.get().organization


def test_an_operator_can_remove_a_lost_factor(operator, developer, signed_in, app_secret):
    secret = app_secret(developer)
    row = Authenticator.objects.get()
    browser = signed_in(operator)
    place = reverse("admin:mfa_authenticator_change", args=[row.pk])
    page = browser.get(place).content.decode()
    assert secret not in page
    assert row.data["secret"] not in page
    browser.post(reverse("admin:mfa_authenticator_delete", args=[row.pk]), {"post": "yes"})
    assert kinds(developer) == set()


def test_a_super_admin_cannot_remove_a_factor(super_admin, developer, signed_in, app_secret):
    app_secret(developer)
    row = Authenticator.objects.get()
    place = reverse("admin:mfa_authenticator_delete", args=[row.pk])
    assert signed_in(super_admin).post(place, {"post": "yes"}).status_code == 403
    assert kinds(developer) == {"totp"}
