from __future__ import annotations

import re

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse

from console.applications.launch_url import validate_launch_url
from console.keys.authentication import authenticate_key
from console.keys.errors import TokenRefused
from console.keys.user_tokens import verify_token

TOKEN = r"eyJ[\w-]+\.[\w-]+\.[\w-]+"


@pytest.fixture
def place(application) -> str:
    return reverse("application_open", args=[application.pk])


def test_it_asks_where(developer_client, place):
    page = developer_client.get(place).content.decode()
    assert "Development" in page and "Stage" in page
    assert not re.search(TOKEN, page)


@pytest.mark.parametrize("environment", ["development", "stage"])
def test_it_shows_a_token(developer_client, place, developer, key_of, environment):
    response = developer_client.post(place, {"environment": environment})
    token = re.search(TOKEN, response.content.decode())[0]
    assert verify_token(token, authenticate_key(key_of(environment)[1])) == developer
    other = {"development": "stage", "stage": "development"}[environment]
    with pytest.raises(TokenRefused):
        verify_token(token, authenticate_key(key_of(other)[1]))
    assert "no-store" in response["Cache-Control"]


def test_it_posts_the_token_to_where_the_application_runs(developer_client, place, application):
    application.launch_url = "https://field.example/start?from=console"
    application.save()
    response = developer_client.post(place, {"environment": "development"})
    page = response.content.decode()
    assert 'action="https://field.example/start?from=console"' in page
    assert re.search(rf'type="hidden" name="console_user" value="{TOKEN}"', page)
    assert "csrfmiddlewaretoken" not in page.partition("data-send")[2].partition("</form>")[0]
    assert "form-action 'self' https://field.example" in response["Content-Security-Policy"]


def test_no_other_page_may_send_forms_there(developer_client, place, application):
    application.launch_url = "https://field.example/start"
    application.save()
    assert "field.example" not in developer_client.get(place)["Content-Security-Policy"]


@pytest.mark.parametrize("environment", ["", "production", "all", "x"])
def test_it_knows_two_environments(developer_client, place, environment):
    response = developer_client.post(place, {"environment": environment})
    assert response.status_code == 422
    assert not re.search(TOKEN, response.content.decode())


@pytest.mark.parametrize(
    "address",
    ["https://field.example", "https://field.example:8443/a/b?c=d", "http://localhost:3000/",
     "http://127.0.0.1/x", "https://[2001:db8::1]/x"],
)  # fmt: skip
def test_an_address_may_be(address):
    validate_launch_url(address)


@pytest.mark.parametrize(
    "address",
    ["http://field.example", "javascript:alert(1)", "https://user@field.example/",
     "https://field.example;script-src *", "https://field.example, https://evil.example",
     "https://field.example/#x", "https://field.example/\n", "https://field.example/ x",
     "//field.example", "/start", "https://", "https://localhost'/x", "http://localhost.evil/",
     "https://field.example/\"><script>", "data:text/html,x", "https://fiéld.example/"],
)  # fmt: skip
def test_an_address_may_not_be(address):
    with pytest.raises(ValidationError, match="starts with https://"):
        validate_launch_url(address)


def test_a_super_admin_sets_the_address(signed_in, super_admin, application):
    client = signed_in(super_admin)
    page = reverse("admin:applications_application_change", args=[application.pk])
    sent = {"name": application.name, "rights-TOTAL_FORMS": "0", "rights-INITIAL_FORMS": "0"}
    client.post(page, sent | {"launch_url": "http://evil.example"})
    application.refresh_from_db()
    assert application.launch_url == ""
    client.post(page, sent | {"launch_url": "https://field.example/"})
    application.refresh_from_db()
    assert application.launch_url == "https://field.example/"
