from __future__ import annotations

import re

import requests

from tests.sandbox.visitors import Application, Browser
from tests.servers import SandboxServer


def test_it_explains_the_sandbox_without_sign_in(sandbox: SandboxServer) -> None:
    page = requests.get(sandbox.url + "/", timeout=10)
    assert page.status_code == 200
    assert "A sample service" in page.text
    assert 'href="/sign-in/"' in page.text


def test_pages_have_no_inline_scripts_or_styles(alice: Browser, application: Application) -> None:
    for path in ("/", "/switches/", "/sign-in/", application.authorize_path()):
        page = alice.open(path).text
        assert not re.search(r"<script|<style|\sstyle=|\son\w+=", page), path


def test_it_shows_the_api_key(sandbox: SandboxServer, alice: Browser, bob: Browser) -> None:
    assert f"<code>{sandbox.demo_password}</code>" in alice.open("/").text
    key = re.search(r"<code>(sandbox-[\w-]{32})</code>", bob.open("/").text)
    assert key
    answer = requests.get(sandbox.url + "/key/api/me", headers={"X-Api-Key": key[1]}, timeout=10)
    assert answer.json()["user_name"] == "bob"


def test_it_lists_allowed_applications(alice: Browser, application: Application) -> None:
    application.tokens(alice, "contacts.read")
    page = alice.open("/").text
    assert "Withdraw access of Postcards" in page
    assert "See your contacts" in page


def test_withdrawing_revokes_the_applications_tokens(
    sandbox: SandboxServer, alice: Browser, bob: Browser, application: Application
) -> None:
    tokens, code = application.tokens(alice), alice.allow(application.authorize_path())["code"]
    bobs = application.tokens(bob)
    home = alice.open("/")
    path = re.search(r'action="([^"]+)">(?:(?!</form>).)*access of Postcards', home.text, re.S)[1]
    alice.submit(home, path)
    page = alice.open("/").text
    assert "Postcards no longer has access." in page
    assert "Withdraw access of Postcards" not in page
    assert application.call("/api/me", tokens["access_token"]).status_code == 401
    assert application.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"
    assert application.exchange(code).json()["error"] == "invalid_grant"
    assert application.call("/api/me", bobs["access_token"]).status_code == 200
    assert sandbox.counts()["reuse"] == 0


def test_withdrawing_needs_sign_in_and_an_application(
    sandbox: SandboxServer, alice: Browser
) -> None:
    home = alice.open("/")
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', home.text)[1]
    url = sandbox.url + "/applications/999999/withdraw/"
    assert alice.post(url, data={"csrfmiddlewaretoken": token}, timeout=10).status_code == 404
    stranger = requests.get(url, timeout=10, allow_redirects=False)
    assert stranger.headers["Location"].startswith("/sign-in/")
