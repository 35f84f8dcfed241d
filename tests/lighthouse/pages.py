"""Pages that Lighthouse measures, found by following links as people do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import requests

from tests.servers import ConsoleDemo

DEVELOPER = "developer@studio.example"
SUPER_ADMIN = "superadmin@studio.example"
CLIENT = "superadmin@client.example"
TIMEOUT_SECONDS = 60


@dataclass(frozen=True, kw_only=True)
class Page:
    """``cookies`` sign the person in."""

    name: str
    url: str
    cookies: dict[str, str] = field(default_factory=dict)


def find_pages(demo: ConsoleDemo) -> list[Page]:
    """Sign three people in and return the pages that they use most."""
    developer = Person(demo, DEVELOPER)
    super_admin = Person(demo, SUPER_ADMIN)
    client = Person(demo, CLIENT)
    return [
        Page(name="sign in", url=f"{demo.url}/accounts/login/"),
        *(developer.page(name, path) for name, path in _of_a_developer(developer)),
        super_admin.page("super admin: home", "/"),
        super_admin.page("super admin: activity", "/activity/"),
        super_admin.page("super admin: clients", "/clients/"),
        super_admin.page("super admin: administration", "/admin/"),
        super_admin.page("super admin: members", "/admin/accounts/membership/"),
        client.page("client: home", "/"),
        client.page("client: installed apps", "/installed/"),
        client.page("client: marketplace", "/marketplace/"),
    ]


def _of_a_developer(developer: Person) -> Iterator[tuple[str, str]]:
    application = developer.link("/apps/", r"/apps/\w+/")
    components = developer.link(application, r"/applications/[\w-]+/components/")
    connection = developer.link("/microservices/", r"/connections/[\w-]+/")
    yield "home", "/"
    yield "applications", "/apps/"
    yield "application", application
    yield "component", developer.link(components, r"/components/[\w-]+/")
    yield "publish", developer.link(application, r"/applications/[\w-]+/publish/")
    yield "releases", developer.link(application, r"/applications/[\w-]+/releases/")
    yield "keys", developer.link(application, r"/applications/[\w-]+/keys/")
    yield "connections", "/microservices/"
    yield "connection", connection
    yield "calls", developer.link(connection, r"/connections/[\w-]+/calls/")
    yield "gallery", "/microservices/new/"
    yield "wizard", developer.first_step("/microservices/new/sandbox/")
    yield "health", "/health/"
    yield "activity", "/activity/"
    yield "account", "/accounts/2fa/"


class Person:
    """A signed-in person who reads pages without a browser."""

    def __init__(self, demo: ConsoleDemo, email: str) -> None:
        self.url = demo.url
        self._session = requests.Session()
        form = {"login": email, "password": demo.password}
        self._post("/accounts/login/", **form)
        if "/accounts/login/" in self._session.get(self.url, timeout=TIMEOUT_SECONDS).url:
            raise RuntimeError(f"{email} could not sign in.")

    def page(self, name: str, path: str) -> Page:
        cookies = {each.name: each.value or "" for each in self._session.cookies}
        return Page(name=name, url=f"{self.url}{path}", cookies=cookies)

    def link(self, path: str, pattern: str) -> str:
        """Return the first link on a page whose path matches."""
        found = re.search(rf'href="((?:/o/\w+)?{pattern})"', self._text(path))
        if not found:
            raise RuntimeError(f"{path} has no link {pattern}.")
        return found[1]

    def first_step(self, card: str) -> str:
        """Choose a service and return the path of the page that follows."""
        answer = self._session.get(self.url + card, timeout=TIMEOUT_SECONDS)
        if answer.status_code == 405:  # a service is chosen by a form
            answer = self._post(card, form="/microservices/new/")
        answer.raise_for_status()
        return answer.url.removeprefix(self.url)

    def _text(self, path: str) -> str:
        answer = self._session.get(self.url + path, timeout=TIMEOUT_SECONDS)
        answer.raise_for_status()
        return answer.text

    def _post(self, path: str, form: str = "", **fields: str) -> requests.Response:
        """Send a form, with the token of the page that holds it."""
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', self._text(form or path))
        fields["csrfmiddlewaretoken"] = token[1] if token else ""
        return self._session.post(self.url + path, data=fields, timeout=TIMEOUT_SECONDS)
