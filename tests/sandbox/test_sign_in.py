from __future__ import annotations

from tests.sandbox.visitors import Browser
from tests.servers import SandboxServer


def test_it_works(sandbox: SandboxServer) -> None:
    browser = Browser(url=sandbox.url)
    answer = browser.sign_in("alice", sandbox.demo_password)
    assert answer.status_code == 302
    assert "Alice Archer" in browser.open("/").text


def test_fields_and_button_have_their_labels(sandbox: SandboxServer) -> None:
    page = Browser(url=sandbox.url).open("/sign-in/").text
    assert '<label for="id_username">User name</label>' in page
    assert '<label for="id_password">Password</label>' in page
    assert '<button type="submit" class="primary">Sign in</button>' in page


def test_it_shows_one_error_for_a_wrong_password(sandbox: SandboxServer) -> None:
    answer = Browser(url=sandbox.url).sign_in("alice", "wrong")
    assert answer.text.count("The user name or the password is wrong.") == 1
    assert "sandbox_sessionid" not in answer.cookies


def test_it_returns_to_the_requested_page(sandbox: SandboxServer) -> None:
    browser = Browser(url=sandbox.url)
    page = browser.open("/sign-in/?next=/switches/")
    answer = browser.submit(page, username="bob", password=sandbox.demo_password)
    assert answer.headers["Location"] == "/switches/"


def test_it_does_not_redirect_to_other_sites(sandbox: SandboxServer) -> None:
    browser = Browser(url=sandbox.url)
    page = browser.open("/sign-in/?next=https://evil.example/")
    answer = browser.submit(page, username="bob", password=sandbox.demo_password)
    assert answer.headers["Location"] == "/"


def test_its_cookie_names_differ_from_the_consoles(alice: Browser) -> None:
    assert {cookie.name for cookie in alice.cookies} == {"sandbox_sessionid", "sandbox_csrftoken"}


def test_it_explains_an_expired_form(sandbox: SandboxServer) -> None:
    answer = Browser(url=sandbox.url).post(sandbox.url + "/sign-in/", data={}, timeout=10)
    assert answer.status_code == 403
    assert "This form has expired." in answer.text
