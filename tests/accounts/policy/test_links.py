"""No page has a link or a button that its reader may not use: everyone follows all of theirs."""

from __future__ import annotations

from collections import Counter
from html.parser import HTMLParser
from urllib.parse import parse_qs, urldefrag, urljoin, urlsplit

import pytest
from django.urls import Resolver404, resolve

from tests.accounts.policy.expectations import IDENTITIES
from tests.accounts.policy.visits import VISITS, address

pytestmark = pytest.mark.one_database(
    "Reads pages; the rooms test their queries on both databases."
)

#: Pages of other packages, or that show files.
SKIPPED = ("/static/", "/admin/jsi18n", "/admin/logout", "/accounts/logout")
REFUSALS = {403, 404, 500}
#: As many links to one route are followed, such as to each service of the gallery.
ENOUGH = 8


class Targets(HTMLParser):
    """The URLs of the links and of the buttons on a page."""

    def __init__(self, page: str, html: str) -> None:
        super().__init__()
        self.page = page
        self.found: set[str] = set()
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        # A form with GET has no meaning without its fields.
        names = ["action"] if tag == "form" and given.get("method") == "post" else []
        names += ["href"] if tag == "a" else ["formaction", "hx-get"]
        for name in names:
            if (target := given.get(name)) and not target.startswith("#"):
                url = urlsplit(urldefrag(urljoin(self.page, target)).url)
                inside = not url.scheme and not url.netloc and not url.path.startswith(SKIPPED)
                # The lists of Django admin link to every order and filter of themselves.
                if inside and not (url.query and url.path.startswith("/admin/")):
                    self.found.add(url.geturl())


def kind_of(url: str) -> str:
    """Return the name of the route and of its query parameters."""
    parts = urlsplit(url)
    try:
        route = resolve(parts.path).view_name
    except Resolver404:
        route = parts.path
    return f"{route} {sorted(parse_qs(parts.query))}"


READERS = [
    each.name
    for each in IDENTITIES.values()
    # Roles in another organization change who may read a page, not what is on it. Only
    # developers need rights.
    if not each.anonymous
    and "other" not in each.roles
    and (not each.given or "own developer" in each.name)
]


@pytest.mark.slow("Each person reads every page that they can reach.")
@pytest.mark.parametrize("name", READERS)
def test_every_link_and_button_is_allowed(name, things, come_as):
    client = come_as(name)
    starts = [address(route, things) for route, visit in VISITS.items() if visit.method == "get"]
    statuses: dict[str, int] = {}
    origins: dict[str, str] = {}  # of each link, a page that has it
    waiting, seen = sorted(starts), Counter[str]()
    while waiting:
        path = waiting.pop()
        response = client.get(path)
        statuses[path] = response.status_code
        if response.status_code != 200 or "text/html" not in response["Content-Type"]:
            continue
        for target in sorted(Targets(path, response.content.decode()).found - origins.keys()):
            kind = kind_of(target)
            if target in starts or seen[kind] < ENOUGH:
                origins[target] = path
                seen[kind] += 1
                if target not in starts:
                    waiting.append(target)
    assert origins
    refused = [
        f"{origin} leads to {path}: {statuses[path]}"
        for path, origin in origins.items()
        if statuses[path] in REFUSALS
    ]
    assert refused == [], "\n".join(refused)
