from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
import uuid
from datetime import timedelta

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.core.management import call_command
from django.utils import timezone

from console.applications.models import Application
from console.encryption.fields import encrypted_fields
from console.keys import user_tokens
from console.keys.authentication import authenticate_key
from console.keys.errors import TokenRefused
from console.keys.models import TokenKey
from console.keys.user_tokens import audience, public_set, renew, token_for, verify_token


@pytest.fixture
def token(developer, application, studio) -> str:
    return token_for(developer, application, studio, "development")


def claims_of(token: str) -> dict:
    return jwt.decode(token, options={"verify_signature": False})


def signed(claims: dict, **options) -> str:
    key = TokenKey.objects.get(signs=True)
    private = jwt.PyJWK(key.private.reveal(), algorithm="ES256")
    headers = {"kid": str(key.pk), **options.pop("headers", {})}
    return jwt.encode(claims, private.key, algorithm="ES256", headers=headers)


def refuse(token: str, holder, words: str = "must hold the token") -> None:
    with pytest.raises(TokenRefused, match=words):
        verify_token(token, holder)


def test_it_names_the_person(token, holder, developer):
    assert verify_token(token, holder) == developer


def test_it_says_what_the_standard_says(token, developer, application, studio, settings):
    claims = claims_of(token)
    assert claims["iss"] == settings.PUBLIC_URL
    assert claims["sub"] == str(developer.pk)
    assert claims["aud"] == f"{application.pk}/{studio.pk}/development"
    assert claims["exp"] - claims["iat"] == 3600
    assert abs(claims["iat"] - time.time()) < 5
    assert uuid.UUID(claims["jti"])
    assert jwt.get_unverified_header(token)["alg"] == "ES256"
    assert developer.email not in base64.b64decode(token.split(".")[1] + "==").decode()


def test_another_program_verifies_it_by_the_published_keys(token, application, studio):
    document = json.loads(json.dumps(public_set()))
    assert all("d" not in key for key in document["keys"])
    keys = jwt.PyJWKSet.from_dict(document)
    key = keys[jwt.get_unverified_header(token)["kid"]]
    aud = audience(application.pk, studio.pk, "development")
    assert jwt.decode(token, key, algorithms=["ES256"], audience=aud)


@pytest.mark.parametrize(
    "name",
    ["developer@studio.example", "Ada", "a.b.c", "..", "", "x" * 5000, "é.é.é", "1",
     "eyJhbGciOiJub25lIn0.e30."],
)  # fmt: skip
def test_a_name_is_no_token(holder, name):
    refuse(name, holder)


def test_the_algorithm_is_not_chosen_by_the_token(token, holder):
    claims, kid = claims_of(token), jwt.get_unverified_header(token)["kid"]
    refuse(jwt.encode(claims, "", algorithm="none", headers={"kid": kid}), holder)
    public = TokenKey.objects.get().public
    pem = jwt.PyJWK(public).key.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    # The classic: the public key as the secret of an HMAC; PyJWT would not even sign so.
    head, body, _ = jwt.encode(claims, "x" * 32, algorithm="HS256", headers={"kid": kid}).split(".")
    mac = hmac.new(pem, f"{head}.{body}".encode(), hashlib.sha256).digest()
    refuse(f"{head}.{body}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}", holder)


def test_somebody_elses_key_signs_nothing(token, holder):
    other = ec.generate_private_key(ec.SECP256R1())
    kid = jwt.get_unverified_header(token)["kid"]
    for named in (kid, str(uuid.uuid4()), "", "../x"):
        refuse(
            jwt.encode(claims_of(token), other, algorithm="ES256", headers={"kid": named}), holder
        )
    header = {"jwk": {"kty": "EC"}, "jku": "https://evil.example/keys"}
    refuse(
        jwt.encode(claims_of(token), other, algorithm="ES256", headers={"kid": kid, **header}),
        holder,
    )


def test_a_changed_token_is_none(token, holder):
    head, _, signature = token.split(".")
    claims = {**claims_of(token), "sub": str(uuid.uuid4())}
    forged = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    refuse(f"{head}.{forged}.{signature}", holder)


@pytest.mark.parametrize("claim", ["iss", "sub", "aud", "iat", "exp", "jti"])
def test_every_claim_is_needed(token, holder, claim):
    claims = claims_of(token)
    del claims[claim]
    with pytest.raises(TokenRefused):
        verify_token(signed(claims), holder)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"iss": "http://evil.example"}, "must hold"),
        ({"exp": 1}, "has expired"),
        ({"exp": "soon"}, "must hold"),
        ({"iat": 99_999_999_999}, "must hold"),
        ({"nbf": 99_999_999_999}, "must hold"),
        ({"aud": "x"}, "another application"),
        ({"aud": ["x"]}, "another application"),
        ({"aud": None}, "must hold|another"),
        ({"sub": str(uuid.uuid4())}, "no longer belongs"),
    ],
)
def test_a_wrong_claim_is_refused(token, holder, change, words):
    refuse(signed({**claims_of(token), **change}), holder, words)


def test_it_counts_for_one_place_alone(
    token, key_of, application, developer, studio, stranger_organization
):
    other = Application.objects.create(organization=studio, name="Other", link_name="other")
    for _, text in (key_of("stage"), key_of(application=other)):
        refuse(token, authenticate_key(text), "another application, organization or environment")
    elsewhere = token_for(developer, application, stranger_organization, "development")
    refuse(elsewhere, authenticate_key(key_of()[1]), "another application")


def test_it_is_valid_while_the_person_is_a_member(token, holder, developer):
    verify_token(token, holder)
    developer.memberships.all().delete()
    time.sleep(1.05)
    refuse(token, holder, "no longer belongs to this organization")


def test_it_refuses_inactive_people(token, holder, developer):
    developer.is_active = False
    developer.save()
    refuse(token, holder, "no longer belongs")


def test_it_expires_after_an_hour(token, holder, monkeypatch):
    verify_token(token, holder)
    now = time.time()
    monkeypatch.setattr(user_tokens.time, "time", lambda: now + 3605)
    verify_token(token, holder)  # clocks differ
    monkeypatch.setattr(user_tokens.time, "time", lambda: now + 3612)
    refuse(token, holder, "has expired; tokens are valid for an hour")


def test_after_a_renewal_old_tokens_live_out_their_hour(
    token, holder, developer, application, studio
):
    old = TokenKey.objects.get()
    new = renew()
    newer = token_for(developer, application, studio, "development")
    assert jwt.get_unverified_header(newer)["kid"] == str(new.pk)
    assert verify_token(token, holder) == verify_token(newer, holder) == developer
    assert {key["kid"] for key in public_set()["keys"]} == {str(old.pk), str(new.pk)}

    TokenKey.objects.filter(pk=old.pk).update(retired_at=timezone.now() - timedelta(hours=2))
    user_tokens._public_keys.clear()
    user_tokens._users.clear()
    refuse(token, holder)
    assert [key["kid"] for key in public_set()["keys"]] == [str(new.pk)]


def test_the_command_renews_the_key(db, capsys):
    public_set()
    call_command("renew_token_key")
    assert TokenKey.objects.count() == 2
    assert str(TokenKey.objects.get(signs=True)) in capsys.readouterr().out


def test_the_private_half_is_sealed(token):
    key = TokenKey.objects.get()
    assert (TokenKey, TokenKey._meta.get_field("private")) in encrypted_fields()
    assert key.private.reveal()["d"] not in str(TokenKey.objects.values().get())


@pytest.mark.django_db(transaction=True)
def test_the_first_key_is_made_once(developer, application, studio, at_once):
    made = at_once(6, lambda: token_for(developer, application, studio, "development"))
    assert len({jwt.get_unverified_header(each)["kid"] for each in made}) == 1
    assert TokenKey.objects.count() == 1
