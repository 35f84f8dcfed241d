"""Clients of the sandbox: a person's browser, and an application that requests access."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass
from html import unescape
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import requests

CLIENT_ID = "postcards"
CLIENT_SECRET = "postcards-secret-0123456789"  # used only in these tests
REDIRECT_URI = "http://127.0.0.1:5999/callback"
VERIFIER = "v" * 43
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=")


class Browser(requests.Session):
    """Submits forms like a browser, with hidden fields and cookies."""

    def __init__(self, *, url: str) -> None:
        super().__init__()
        self.url = url

    def open(self, path: str, **kwargs: Any) -> requests.Response:
        return self.get(self.url + path, timeout=30, allow_redirects=False, **kwargs)

    def submit(
        self, page: requests.Response, path: str | None = None, **data: str
    ) -> requests.Response:
        """Post the form of ``page`` that goes to ``path`` (to the page itself by default)."""
        action = f' action="{path}"' if path else ""
        form = re.search(rf'<form[^>]*method="post"{action}>(.*?)</form>', page.text, re.S)
        assert form, page.text
        hidden = {}
        for tag in re.findall(r"<input[^>]*type=\"hidden\"[^>]*>", form[1]):
            value = re.search(r'value="([^"]*)"', tag)
            hidden[re.search(r'name="([^"]*)"', tag)[1]] = unescape(value[1]) if value else ""
        return self.post(
            self.url + path if path else page.url,
            data=hidden | data,
            timeout=30,
            allow_redirects=False,
        )

    def sign_in(self, user_name: str, password: str) -> requests.Response:
        return self.submit(self.open("/sign-in/"), username=user_name, password=password)

    def allow(self, address: str) -> dict[str, str]:
        """Allow the authorization request; return the parameters of the redirect."""
        answer = self.submit(self.open(address), allow="true")
        assert answer.status_code == 302, answer.text
        return redirect_parameters(answer)


def redirect_parameters(answer: requests.Response) -> dict[str, str]:
    """Return the parameters of the redirect to the application."""
    location = answer.headers["Location"]
    assert location.startswith(REDIRECT_URI + "?"), location
    return dict(parse_qsl(urlsplit(location).query, keep_blank_values=True))


@dataclass(frozen=True, kw_only=True)
class Application:
    """An OAuth 2 client."""

    url: str
    client_id: str = CLIENT_ID
    secret: str = CLIENT_SECRET

    def authorize_path(self, scope: str = "profile.read", **changed: str | None) -> str:
        """Return path and query of an authorization request; ``None`` leaves a parameter out."""
        query = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": REDIRECT_URI,
            "scope": scope,
            "state": "xyz",
            "code_challenge": CHALLENGE.decode(),
            "code_challenge_method": "S256",
        } | changed
        present = {name: value for name, value in query.items() if value is not None}
        return "/oauth/authorize/?" + urlencode(present)

    def post_token(self, **form: str) -> requests.Response:
        return requests.post(
            f"{self.url}/oauth/token/",
            data=form,
            auth=(self.client_id, self.secret) if self.secret else None,
            timeout=30,
            allow_redirects=False,
        )

    def exchange(self, code: str, **changed: str) -> requests.Response:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": REDIRECT_URI,
            "code_verifier": VERIFIER,
        }
        return self.post_token(**form | changed)

    def refresh(self, refresh_token: str) -> requests.Response:
        return self.post_token(grant_type="refresh_token", refresh_token=refresh_token)

    def revoke(self, token: str) -> requests.Response:
        return requests.post(
            f"{self.url}/oauth/revoke/",
            data={"token": token},
            auth=(self.client_id, self.secret),
            timeout=30,
            allow_redirects=False,
        )

    def tokens(self, person: Browser, scope: str = "profile.read") -> dict[str, Any]:
        """Run the whole flow and return the tokens."""
        answer = self.exchange(person.allow(self.authorize_path(scope))["code"])
        assert answer.status_code == 200, answer.text
        return answer.json()

    def call(self, path: str, token: str, **kwargs: Any) -> requests.Response:
        return requests.request(
            kwargs.pop("method", "GET"),
            self.url + path,
            headers={"Authorization": f"Bearer {token}"},
            timeout=30,
            allow_redirects=False,
            **kwargs,
        )
