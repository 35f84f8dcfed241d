from __future__ import annotations

from django.test import Client
from django.urls import reverse

from console.accounts.models import User

LOGIN = reverse("account_login")


def test_it_works(developer):
    client = Client()
    before = client.get(LOGIN).cookies
    response = client.post(LOGIN, {"login": developer.email, "password": "pass-word-1"})
    assert (response.status_code, response["Location"]) == (302, reverse("home"))
    cookie = client.cookies["console"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert "console" not in before


def test_it_starts_a_new_session(developer):
    client = Client()
    session = client.session
    session["planted"] = True
    session.save()
    client.cookies["console"] = planted = session.session_key
    client.post(LOGIN, {"login": developer.email, "password": "pass-word-1"})
    assert client.cookies["console"].value != planted


def test_wrong_password_and_unknown_account_get_the_same_answer(developer):
    answers = []
    for email in (developer.email, "nobody@studio.example"):
        response = Client().post(LOGIN, {"login": email, "password": "wrong"})
        answers.append(list(response.context["form"].non_field_errors()))
    assert answers[0] == answers[1]
    assert answers[0]


def test_it_refuses_disabled_accounts(developer):
    User.objects.update(is_active=False)
    client = Client()
    client.post(LOGIN, {"login": developer.email, "password": "pass-word-1"})
    assert client.get(reverse("home")).status_code == 302


def test_it_does_not_redirect_to_another_site(developer):
    response = Client().post(
        LOGIN,
        {"login": developer.email, "password": "pass-word-1", "next": "https://evil.example/"},
    )
    assert response["Location"] == reverse("home")


def test_sign_up_is_closed(db):
    client = Client()
    client.post(
        reverse("account_signup"),
        {"email": "new@studio.example", "password1": "long-enough-7", "password2": "long-enough-7"},
    )
    assert not User.objects.exists()


def test_the_page_sends_security_headers(client, db):
    response = client.get(LOGIN)
    assert "frame-ancestors 'none'" in response["Content-Security-Policy"]
    assert response["Cross-Origin-Opener-Policy"] == "same-origin"
    assert response["Referrer-Policy"] == "same-origin"
