"""A form that arrives after its session has ended leads back to its page, never to a 405."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from django.urls import reverse

from tests.accounts.policy.visits import VISITS
from tests.signing_in.conftest import PASSWORD

LOGIN = reverse("account_login")
HTMX = {"HX-Request": "true"}
#: Pages of the same console, of another one, and none.
STRANGE = [
    "",
    "https://evil.example/apps/",
    "http://testserver//evil.example/",
    "javascript:alert(1)",
]


@pytest.fixture
def rename(connect) -> tuple[str, str]:
    """Return the URL of a form that is on another page, and that page."""
    connection = connect("slack")
    return reverse("connection_rename", args=[connection.pk]), connection.get_absolute_url()


def sign_in_again(developer, response, client):
    """Sign in where the response leads; return the answer with its redirects."""
    place = response.get("HX-Redirect") or response["Location"]
    assert client.get(place).status_code == 200
    following = parse_qs(urlsplit(place).query)["next"][0]
    form = {"login": developer.email, "password": PASSWORD, "next": following}
    answer = client.post(LOGIN, form, follow=True)
    assert answer.status_code == 200
    return answer


def test_it_returns_to_the_page_with_the_form_and_says_why(developer, rename, browser):
    url, page = rename
    client = browser()
    response = client.post(url, {"name": "Typed"}, headers={"Referer": f"http://testserver{page}"})
    assert response.status_code == 302
    assert "Sign in to return to it" in client.get(response["Location"]).content.decode()
    answer = sign_in_again(developer, response, client)
    assert answer.redirect_chain[-1][0] == page
    assert "the form was not saved. Check it and send it again." in answer.content.decode()
    assert b"data-restores" in answer.content


def test_the_message_is_shown_once(developer, rename, browser):
    url, page = rename
    client = browser()
    response = client.post(url, headers={"Referer": f"http://testserver{page}"})
    sign_in_again(developer, response, client)
    assert b"was not saved" not in client.get(page).content


def test_htmx_leaves_the_page(developer, rename, browser):
    url, page = rename
    client = browser()
    current = {"HX-Current-URL": f"http://testserver{page}?q=1#form"}
    response = client.post(url, headers=HTMX | current)
    assert response.status_code == 200
    assert sign_in_again(developer, response, client).redirect_chain[-1][0] == f"{page}?q=1"


def test_a_part_of_a_page_leads_to_the_page_without_a_message(developer, rename, browser):
    client = browser()
    current = {"HX-Current-URL": f"http://testserver{rename[1]}"}
    response = client.get(reverse("connection_list"), headers=HTMX | current)
    answer = sign_in_again(developer, response, client)
    assert answer.redirect_chain[-1][0] == rename[1]
    assert b"was not saved" not in answer.content


def test_a_page_leads_to_itself_as_before(rename, browser):
    response = browser().get(rename[1], headers={"Referer": "http://testserver/apps/"})
    assert response["Location"] == f"{LOGIN}?next={rename[1]}"


@pytest.mark.parametrize("referer", STRANGE)
def test_without_a_known_page_it_leads_to_the_nearest_one(developer, rename, browser, referer):
    url, page = rename
    client = browser()
    client.defaults["HTTP_ACCEPT"] = "text/html"
    response = client.post(url, headers={"Referer": referer} if referer else {})
    answer = sign_in_again(developer, response, client)
    assert answer.redirect_chain[-1][0] in {page, reverse("home")}
    assert "evil" not in str(answer.redirect_chain)


@pytest.mark.parametrize("to", [*STRANGE, "//evil.example/", "/\\evil.example"])
def test_returning_opens_only_pages_of_the_console(developer_client, to):
    response = developer_client.get(reverse("form_return"), {"to": to})
    assert response.status_code == 302
    assert response["Location"] == reverse("home")


#: URLs for forms; those of the gateway are for nginx.
FORMS = sorted(
    name
    for name, visit in VISITS.items()
    if visit.method == "post" and not name.startswith("gateway_")
)


@pytest.mark.parametrize("name", FORMS)
def test_no_url_of_a_form_ends_at_405(name, db, client):
    """The forms of all rooms: an address bar has such a URL after an error."""
    row = VISITS[name].row
    keys = ["1" if row == "member" else "00000000-0000-4000-8000-000000000000"] if row else []
    url = reverse(name, args=[*keys, *VISITS[name].arguments])
    response = client.post(url)
    assert response.status_code == 302
    assert response["Location"].startswith(LOGIN)
    assert parse_qs(urlsplit(response["Location"]).query)["next"] == [
        f"{reverse('form_return')}?to={url.replace('/', '%2F')}"
    ]


def test_the_url_of_a_form_opens_the_page_above(developer_client, rename):
    url, page = rename
    response = developer_client.get(url, headers={"Accept": "text/html"})
    assert (response.status_code, response["Location"]) == (303, page)
    prefixed = developer_client.get(f"/o/studio{url}", headers={"Accept": "text/html"})
    assert prefixed["Location"] == f"/o/studio{page}"
    assert developer_client.get(url, headers={"Accept": "application/json"}).status_code == 405


def test_a_token_of_an_earlier_session_leads_back_to_the_form(developer, rename):
    url, page = rename
    client = Client(enforce_csrf_checks=True)
    client.force_login(developer)
    for form in (url, page):  # also a form that is sent to its own page
        response = client.post(form, headers={"Referer": f"http://testserver{page}"}, follow=True)
        assert response.redirect_chain[-1] == (page, 303)
        assert b"data-restores" in response.content


@pytest.mark.parametrize("referer", STRANGE)
def test_a_form_of_another_site_is_refused(developer, rename, referer):
    client = Client(enforce_csrf_checks=True)
    client.force_login(developer)
    headers = {"Referer": referer} if referer else {}
    response = client.post(rename[0], headers=headers)
    assert response.status_code == 403
