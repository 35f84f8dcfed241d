"""Sign-in with real codes, from chosen IP addresses, and in the past."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from hashlib import sha256

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import (
    TOTP,
    format_hotp_value,
    generate_totp_secret,
    hotp_value,
    yield_hotp_counters_from_time,
)
from cryptography.hazmat.primitives.asymmetric import ec
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from fido2.cose import ES256
from fido2.utils import websafe_encode
from fido2.webauthn import (
    AttestationObject,
    AttestedCredentialData,
    AuthenticatorData,
    CollectedClientData,
)

from console.accounts.models import User

PASSWORD = "pass-word-1"


@pytest.fixture(autouse=True)
def no_limit_was_used_yet() -> None:
    """Reset rate limits: all tests use one IP address."""
    cache.clear()


@pytest.fixture
def browser() -> Callable[..., Client]:
    """Return a browser with an IP address."""
    return lambda address="192.0.2.1": Client(REMOTE_ADDR=address)


@pytest.fixture
def sign_in(browser):
    """Sign in with e-mail address and password; return the browser and the response."""

    def type_in(user: User | str, password: str = PASSWORD, client: Client | None = None):
        client = client or browser()
        email = user if isinstance(user, str) else user.email
        return client, client.post(reverse("account_login"), {"login": email, "password": password})

    return type_in


@pytest.fixture
def app_secret():
    """Give a person an authenticator app and return its secret."""

    def give(user: User) -> str:
        secret = generate_totp_secret()
        TOTP.activate(user, secret)
        return secret

    return give


@pytest.fixture
def recovery_codes():
    def give(user: User) -> list[str]:
        return RecoveryCodes.activate(user).get_unused_codes()

    return give


@pytest.fixture
def passkey():
    """Give a person a passkey that exists on no device."""

    def give(user: User, **fields) -> Authenticator:
        key = ec.generate_private_key(ec.SECP256R1()).public_key()
        data = AuthenticatorData.create(
            rp_id_hash=sha256(b"testserver").digest(),
            flags=AuthenticatorData.FLAG.UP | AuthenticatorData.FLAG.AT,
            counter=0,
            credential_data=AttestedCredentialData.create(
                bytes(16), b"a credential", ES256.from_cryptography_key(key)
            ),
        )
        identifier = websafe_encode(b"a credential")
        response = {
            "clientDataJSON": websafe_encode(
                CollectedClientData.create("webauthn.create", b"challenge", "https://testserver")
            ),
            "attestationObject": websafe_encode(AttestationObject.create("none", data, {})),
        }
        credential = {
            "id": identifier,
            "rawId": identifier,
            "type": "public-key",
            "response": response,
            "clientExtensionResults": {},
        }
        return Authenticator.objects.create(
            user=user, type="webauthn", data={"name": "Laptop", "credential": credential}, **fields
        )

    return give


def code_of(secret: str, *, seconds: float = 2) -> str:
    """Return the current code of the app, valid for at least so many more seconds."""
    left = 30 - time.time() % 30
    if left < seconds:
        time.sleep(left)
    return format_hotp_value(hotp_value(secret, next(yield_hotp_counters_from_time())))


def wrong_code(secret: str) -> str:
    return format_hotp_value((int(code_of(secret)) + 1) % 1_000_000)


def let_time_pass(client: Client, seconds: float) -> None:
    """Move the browser's sign-in and reauthentication into the past."""
    session = client.session
    for record in session["account_authentication_methods"]:
        record["at"] = time.time() - seconds
    session.save()


def without_tokens(response) -> str:
    """Return a page without the tokens that differ with every request."""
    return re.sub(r'"[A-Za-z0-9]{64}"', "", response.content.decode())


def kinds(user: User) -> set[str]:
    return set(Authenticator.objects.filter(user=user).values_list("type", flat=True))
