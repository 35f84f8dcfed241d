from __future__ import annotations

from tests.sandbox.visitors import Browser
from tests.servers import SandboxServer


def test_it_works(sandbox: SandboxServer) -> None:
    browser = Browser(url=sandbox.url)
    answer = browser.sign_in("alice", sandbox.demo_password)
    assert answer.status_code == 302
    assert "Alice Archer" in browser.open("/").text


def test_its_fields_and_button_have_their_names(sandbox: SandboxServer) -> None:
    page = Browser(url=sandbox.url).open("/sign-in/").text
    assert '<label for="id_username">User name</label>' in page
    assert '<label for="id_password">Password</label>' in page
    assert '<button type="submit" class="primary">Sign in</button>' in page


def test_it_says_in_one_sentence_that_the_password_is_wrong(sandbox: SandboxServer) -> None:
    answer = Browser(url=sandbox.url).sign_in("alice", "wrong")
    assert answer.text.count("The user name or the password is wrong.") == 1
    assert "sandbox_sessionid" not in answer.cookies


def test_it_returns_to_the_question(sandbox: SandboxServer) -> None:
    browser = Browser(url=sandbox.url)
    page = browser.open("/sign-in/?next=/switches/")
    answer = browser.submit(page, username="bob", password=sandbox.demo_password)
    assert answer.headers["Location"] == "/switches/"


def test_it_returns_to_no_other_site(sandbox: SandboxServer) -> None:
    browser = Browser(url=sandbox.url)
    page = browser.open("/sign-in/?next=https://evil.example/")
    answer = browser.submit(page, username="bob", password=sandbox.demo_password)
    assert answer.headers["Location"] == "/"


def test_its_cookies_are_not_the_consoles(alice: Browser) -> None:
    assert {cookie.name for cookie in alice.cookies} == {"sandbox_sessionid", "sandbox_csrftoken"}


def test_it_explains_a_stale_form(sandbox: SandboxServer) -> None:
    answer = Browser(url=sandbox.url).post(sandbox.url + "/sign-in/", data={}, timeout=10)
    assert answer.status_code == 403
    assert "This form has expired." in answer.text
