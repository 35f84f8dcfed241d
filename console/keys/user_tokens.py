"""Tokens that name a person to an application: signed JWTs (RFC 7519), an hour of life.

The application takes one when a person opens it, and hands it back with each call that it
makes for him. It counts for that application, organization and environment alone, and only
as long as he belongs to the organization.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from jwt.algorithms import ECAlgorithm

from console.accounts.models import Organization, User
from console.applications.models import Application
from console.audit.actions import AuditAction
from console.audit.log import record
from console.encryption.fernet_keys import SecretUnreadable
from console.keys.authentication import KeyHolder
from console.keys.errors import TokenRefused
from console.keys.key_format import digest_of
from console.keys.models import TokenKey
from console.short_cache import ShortCache

ALGORITHM = "ES256"
LIFE = timedelta(hours=1)
#: How far the clocks of two machines may differ.
LEEWAY = timedelta(seconds=10)
_LONGEST = 4096
_CLAIMS = ["iss", "sub", "aud", "iat", "exp", "jti"]

_public_keys: ShortCache[jwt.PyJWK] = ShortCache(seconds=60)
_users: ShortCache[tuple[User, float]] = ShortCache(seconds=1)


def token_for(
    user: User, application: Application, organization: Organization, environment: str
) -> str:
    """Sign who opens an application; only who may open it there is to be given one."""
    key, private = _opened()
    now = timezone.now()
    claims = {
        "iss": settings.PUBLIC_URL,
        "sub": str(user.pk),
        "aud": audience(application.pk, organization.pk, environment),
        "iat": now,
        "exp": now + LIFE,
        "jti": str(uuid.uuid4()),
    }
    return jwt.encode(claims, private.key, algorithm=ALGORITHM, headers={"kid": str(key.pk)})


def user_at(environ: Mapping[str, Any], holder: KeyHolder) -> User | None:
    """Return the person whom a WSGI request (``request.META``) names, if it names one."""
    token = environ.get("HTTP_CONSOLE_USER", "").strip()
    return user_of(token, holder) if token else None


def user_of(token: str, holder: KeyHolder) -> User:
    """Return the person whom a token names to the holder of a key; raise ``TokenRefused``.

    What is found counts for a second, so that who leaves the organization is out in one.
    """
    read = partial(_read, token, holder)
    user, expires = _users.get(digest_of(f"{holder.key_id} {token}"), read)
    if time.time() > expires:
        raise TokenRefused(_EXPIRED)
    return user


def audience(application: uuid.UUID, organization: uuid.UUID, environment: str) -> str:
    """Name what a token is for, as its claim ``aud`` does."""
    return f"{application}/{organization}/{environment}"


def public_set() -> dict[str, Any]:
    """Return the keys that verify tokens, as a JWK Set (RFC 7517 section 5)."""
    _signing()
    return {"keys": [key.public for key in _verifying().order_by("-created_at")]}


def renew() -> TokenKey:
    """Sign with a new key from now on; tokens that the old one has signed live out their hour."""
    with transaction.atomic():
        TokenKey.objects.filter(signs=True).update(signs=False, retired_at=timezone.now())
        key = TokenKey(**_pair())
        key.save()
        record(AuditAction.TOKEN_KEY_RENEWED, None, None, key)
    return key


_EXPIRED = (
    "The token in Console-User has expired: it lives for an hour. Ask the person to open the "
    "application again."
)
_ELSEWHERE = (
    "The token in Console-User was signed for another application, organization or "
    "environment than the key's."
)
_NO_TOKEN = (
    "Console-User must hold the token that this console signed when the person opened the "
    "application; a name or an e-mail address does not prove who somebody is."
)
_GONE = "The person whom Console-User names does not belong to this organization any more."


def _read(token: str, holder: KeyHolder) -> tuple[User, float]:
    claims = _claims(token, holder)
    users = User.objects.filter(
        is_active=True,
        memberships__organization=holder.organization_id,
        memberships__deactivated_at=None,
    )
    user = users.filter(pk=claims["sub"]).first()
    if user is None:
        raise TokenRefused(_GONE)
    return user, claims["exp"] + LEEWAY.total_seconds()


def _claims(token: str, holder: KeyHolder) -> dict[str, Any]:
    if len(token) > _LONGEST:
        raise TokenRefused(_NO_TOKEN)
    try:
        key_id = uuid.UUID(jwt.get_unverified_header(token).get("kid", ""))
        public = _public_keys.get(str(key_id), partial(_public, key_id))
        return jwt.decode(
            token,
            public,
            algorithms=[ALGORITHM],
            issuer=settings.PUBLIC_URL,
            audience=audience(holder.application_id, holder.organization_id, holder.environment),
            leeway=LEEWAY,
            options={"require": _CLAIMS, "strict_aud": True},
        )
    except jwt.ExpiredSignatureError:
        raise TokenRefused(_EXPIRED) from None
    except jwt.InvalidAudienceError:
        raise TokenRefused(_ELSEWHERE) from None
    except (jwt.InvalidTokenError, TokenKey.DoesNotExist, ValueError, TypeError, AttributeError):
        raise TokenRefused(_NO_TOKEN) from None


def _public(key_id: uuid.UUID) -> jwt.PyJWK:
    return jwt.PyJWK(_verifying().get(pk=key_id).public, algorithm=ALGORITHM)


def _verifying() -> Any:
    """Return the keys of which some token may still live."""
    since = timezone.now() - LIFE - LEEWAY
    return TokenKey.objects.filter(Q(retired_at=None) | Q(retired_at__gt=since))


def _signing() -> TokenKey:
    """Return the key that signs; the first of all is made by whoever asks first."""
    key = TokenKey.objects.filter(signs=True).first()
    # One row alone signs: who comes second finds that of the first.
    return key or TokenKey.objects.get_or_create(signs=True, defaults=_pair())[0]


def _opened() -> tuple[TokenKey, jwt.PyJWK]:
    """Return the key that signs, opened; one that does not open is replaced."""
    key = _signing()
    try:
        private = key.private.reveal()
    except SecretUnreadable:
        with transaction.atomic():
            # Who comes second waits here, and finds the key that the first has made.
            locked = TokenKey.objects.select_for_update().filter(pk=key.pk, signs=True).first()
            key = renew() if locked else _signing()
        private = key.private.reveal()
    return key, jwt.PyJWK(private, algorithm=ALGORITHM)


def _pair() -> dict[str, Any]:
    private = ec.generate_private_key(ec.SECP256R1())
    pk = uuid.uuid4()
    described = {"kid": str(pk), "use": "sig", "alg": ALGORITHM}
    return {
        "pk": pk,
        "private": ECAlgorithm.to_jwk(private, as_dict=True),
        "public": {**ECAlgorithm.to_jwk(private.public_key(), as_dict=True), **described},
    }
