"""Second factors in a real browser, with a virtual passkey of Chromium."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser import wizard
from tests.browser.conftest import CLIENT, OPERATOR
from tests.browser.page_check import look_over
from tests.signing_in import conftest

pytestmark = pytest.mark.browser

#: No other test signs in as this person, so second factors do not affect them.
PERSON = "admin@client.example"


def sign_in(page: Page, password: str) -> None:
    page.goto("/accounts/login/")
    page.get_by_label("E-mail address").fill(PERSON)
    page.get_by_label("Password").fill(password)
    wizard.press(page, "Sign in")


def sign_out(page: Page) -> None:
    wizard.button(page, "Sign out").click()
    page.get_by_role("heading", name="Sign in").wait_for()


def code_of(secret: str) -> str:
    """Return a code that stays valid while a slow browser sends it."""
    return conftest.code_of(secret, seconds=10)


@pytest.fixture
def person(visit, console) -> Iterator[Page]:
    """Open *Security* for a person without second factors, and remove all factors afterwards."""
    page = visit()
    sign_in(page, console.password)
    page.get_by_role("link", name="Security").click()
    yield page
    page.goto("/accounts/2fa/")
    while (remove := page.get_by_role("link", name=re.compile("^(Remove |Turn the app)"))).count():
        remove.first.click()
        page.get_by_role("button", name=re.compile("^(Remove|Turn)")).click()
        page.get_by_role("heading", name="Security", exact=True).wait_for()


@pytest.fixture
def device(person):
    """Add a virtual authenticator that always confirms."""
    session = person.context.new_cdp_session(person)
    session.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    answer = session.send("WebAuthn.addVirtualAuthenticator", {"options": options})

    def verify(willing: bool) -> None:
        session.send(
            "WebAuthn.setUserVerified",
            {"authenticatorId": answer["authenticatorId"], "isUserVerified": willing},
        )

    return verify


def test_a_passkey_signs_in(person, device, console) -> None:
    look_over(person, "security, nothing set up")
    person.get_by_role("link", name="Add a passkey").click()
    look_over(person, "add a passkey")
    person.get_by_label("Name").fill("Laptop")
    wizard.press(person, "Add the passkey")
    person.get_by_role("heading", name="Recovery codes").wait_for()
    look_over(person, "recovery codes")
    with person.expect_download() as download:
        person.get_by_role("link", name="Download the codes").click()
    assert len(re.findall(r"\d{8}", download.value.path().read_text())) == 10
    person.get_by_role("link", name="I saved the codes").click()
    expect(person.get_by_text("Laptop")).to_be_visible()
    look_over(person, "security, with a passkey")

    sign_out(person)
    sign_in(person, console.password)
    person.get_by_role("heading", name="One more step").wait_for()
    look_over(person, "one more step")
    wizard.press(person, "Use a passkey")
    person.get_by_role("heading", name="Home").wait_for()


def test_a_refused_passkey_shows_a_message(person, device, console) -> None:
    person.get_by_role("link", name="Add a passkey").click()
    wizard.press(person, "Add the passkey")
    person.get_by_role("link", name="I saved the codes").click()
    person.get_by_role("link", name="Add a passkey").click()
    wizard.press(person, "Add the passkey")
    expect(person.get_by_role("alert")).to_contain_text("already has a passkey for your account")
    look_over(person, "add a passkey, refused")
    person.get_by_role("link", name="Cancel").click()
    person.get_by_role("link", name="Rename My passkey").click()
    person.get_by_label("Name").fill("Telephone")
    look_over(person, "rename a passkey")
    wizard.press(person, "Rename it")
    expect(person.get_by_text("Telephone")).to_be_visible()
    person.get_by_role("link", name="Remove Telephone").click()
    look_over(person, "remove a passkey")
    wizard.press(person, "Remove the passkey")
    expect(person.get_by_text("The passkey was removed")).to_be_visible()


def test_an_authenticator_app_signs_in(person, console) -> None:
    person.get_by_role("link", name="Set up an app").click()
    secret = person.locator("code.copyable").inner_text()
    assert person.locator("img.qr").evaluate("image => image.naturalWidth") > 0
    look_over(person, "set up an app")
    person.get_by_label("Code from the app").fill("000000")
    wizard.press(person, "Turn the app on")
    person.get_by_role("alert").wait_for()
    look_over(person, "set up an app, wrong code")
    person.get_by_label("Code from the app").fill(code_of(secret))
    wizard.press(person, "Turn the app on")
    person.get_by_role("link", name="I saved the codes").click()
    look_over(person, "security, with an app")

    sign_out(person)
    sign_in(person, console.password)
    person.get_by_label("Code from your app").fill(code_of(secret))
    wizard.press(person, "Sign in")
    person.get_by_role("heading", name="Home").wait_for()
    for path, name in (
        ("/accounts/2fa/totp/deactivate/", "turn the app off"),
        ("/accounts/2fa/recovery-codes/", "recovery codes, seen"),
        ("/accounts/2fa/recovery-codes/generate/", "make recovery codes"),
        ("/accounts/2fa/reauthenticate/", "confirm by a code"),
        ("/accounts/reauthenticate/", "confirm by the password"),
        ("/accounts/sessions/", "sessions"),
        ("/accounts/2fa/webauthn/", "passkeys"),
        ("/accounts/password/change/", "change the password"),
        ("/accounts/email/", "e-mail addresses"),
    ):
        person.goto(path)
        look_over(person, name)


def test_a_code_signs_in_without_scripts(visit, console) -> None:
    page = visit(scripts=False)
    sign_in(page, console.password)
    page.goto("/accounts/2fa/webauthn/add/")
    expect(page.get_by_text("Passkeys need JavaScript")).to_be_visible()
    page.goto("/accounts/2fa/totp/activate/")
    code = code_of(page.locator("code.copyable").inner_text())
    page.get_by_label("Code from the app").fill(code)
    wizard.press(page, "Turn the app on")
    page.get_by_role("link", name="I saved the codes").click()
    page.get_by_role("link", name="Turn the app off").click()
    wizard.press(page, "Turn the app off")
    expect(page.get_by_text("The authenticator app is off")).to_be_visible()


def test_too_many_wrong_passwords(visit, faults) -> None:
    faults.expected_statuses.add(429)
    page = visit()
    page.goto("/accounts/login/")
    for _ in range(5):
        page.get_by_label("E-mail address").fill("nobody@client.example")
        page.get_by_label("Password").fill("wrong")
        wizard.press(page, "Sign in")
        page.get_by_role("alert").wait_for()
    expect(page.get_by_role("alert")).to_contain_text("blocked from your network for 15 minutes")
    look_over(page, "sign in, paused")


@pytest.mark.parametrize("email", [OPERATOR, CLIENT])
def test_operators_and_super_admins_are_reminded(visit, email) -> None:
    page = visit(email)
    page.goto("/")
    expect(page.get_by_text("Your account has wide permissions")).to_be_visible()
    look_over(page, "home, reminded")
    page.get_by_role("link", name="Go to Security").click()
    page.get_by_role("heading", name="Security", exact=True).wait_for()
    look_over(page, "security, reminded")
