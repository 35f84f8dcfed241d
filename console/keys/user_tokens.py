"""User tokens: signed JWTs (RFC 7519) that identify a person to an application for an hour.

The application receives one when a person opens it, and sends it with each call that it makes
for them. It is valid only for that application, organization and environment, and only while
the person belongs to the organization.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from jwt.algorithms import ECAlgorithm

from console.accounts.models import Membership, Organization, User
from console.applications.models import Application
from console.audit.actions import AuditAction
from console.audit.log import record
from console.database import fail_fast_if_down_since, release_connection
from console.encryption.fernet_keys import SecretUnreadable
from console.keys.authentication import VALID_SECONDS, KeyHolder
from console.keys.errors import TokenRefused
from console.keys.key_format import digest_of
from console.keys.models import TokenKey
from console.short_cache import ShortCache

ALGORITHM = "ES256"
LIFETIME = timedelta(hours=1)
#: How much the clocks of two machines may differ.
LEEWAY = timedelta(seconds=10)
_MAX_LENGTH = 4096
_CLAIMS = ["iss", "sub", "aud", "iat", "exp", "jti"]

_public_keys: ShortCache[str, jwt.PyJWK] = ShortCache(seconds=60)
_users: ShortCache[str, tuple[User, float]] = ShortCache(seconds=VALID_SECONDS)


def token_for(
    user: User, application: Application, organization: Organization, environment: str
) -> str:
    """Return a signed token; the caller checks that the person may open the application."""
    key, private = _open_signing_key()
    now = timezone.now()
    claims = {
        "iss": settings.PUBLIC_URL,
        "sub": str(user.pk),
        "aud": audience(application.pk, organization.pk, environment),
        "iat": now,
        "exp": now + LIFETIME,
        "jti": str(uuid.uuid4()),
    }
    return jwt.encode(claims, private.key, algorithm=ALGORITHM, headers={"kid": str(key.pk)})


def read_user(environ: Mapping[str, Any], holder: KeyHolder) -> User | None:
    """Return the person that a WSGI request (``request.META``) names, if any."""
    token = user_token_of(environ)
    return verify_token(token, holder) if token else None


def user_token_of(environ: Mapping[str, Any]) -> str:
    """Return the user token in a WSGI request, not verified yet, or an empty string."""
    token: str = environ.get("HTTP_CONSOLE_USER", "").strip()
    return token


def verify_token(token: str, holder: KeyHolder) -> User:
    """Return the person that a token identifies to the holder of a key, or raise ``TokenRefused``.

    The result is cached for a second, so people who leave the organization lose access within
    a second.
    """
    read = partial(_read, token, holder)
    user, expires = _users.get(_cache_key(token, holder), read)
    if time.time() > expires:
        raise TokenRefused(_EXPIRED)
    return user


def cached_user(token: str, holder: KeyHolder) -> tuple[User | None, float]:
    """Return the person that a token last identified, if any, and for how many seconds it counts.

    The seconds are zero or less if it has to be checked again.
    """
    cached, seconds = _users.aged(_cache_key(token, holder))
    return (cached[0], min(seconds, cached[1] - time.time())) if cached else (None, 0.0)


def keep_valid(callers: Sequence[tuple[str, KeyHolder]]) -> None:
    """Keep those tokens for another second whose person is as before, by one query.

    The others end now. A token says itself when it expires.
    """
    began = time.monotonic()
    keys = {(_cache_key(token, holder), holder.organization_id) for token, holder in callers}
    cached = {key: entry for key in keys if (entry := _users.peek(key[0]))}
    try:
        with fail_fast_if_down_since(began):
            members = _members().filter(
                user__in={user.pk for user, _ in cached.values()},
                organization__in={organization for _, organization in cached},
            )
            current = {(row.user_id, row.organization_id): row.user for row in members}
    finally:
        release_connection()
    for (key, organization), entry in cached.items():
        user = current.get((entry[0].pk, organization))
        if user is not None and _fields_of(user) == _fields_of(entry[0]):
            _users.extend(key, entry, since=began)
        else:
            _users.end(key, entry)


def seconds_cached(token: str, holder: KeyHolder) -> float:
    """Return for how many more seconds a verified token is valid and not read again."""
    key = _cache_key(token, holder)
    cached = _users.peek(key)
    return min(_users.seconds_left(key), max(0.0, cached[1] - time.time())) if cached else 0.0


def audience(application: uuid.UUID, organization: uuid.UUID, environment: str) -> str:
    """Return the ``aud`` claim: the application, organization and environment of a token."""
    return f"{application}/{organization}/{environment}"


def public_set() -> dict[str, Any]:
    """Return the public keys as a JWK Set (RFC 7517 section 5)."""
    _signing()
    return {"keys": [key.public for key in _verifying().order_by("-created_at")]}


def renew() -> TokenKey:
    """Replace the signing key; tokens signed with the old one stay valid until they expire."""
    with transaction.atomic():
        TokenKey.objects.filter(signs=True).update(signs=False, retired_at=timezone.now())
        key = TokenKey(**_new_pair())
        key.save()
        record(AuditAction.TOKEN_KEY_RENEWED, None, None, key)
    return key


_EXPIRED = (
    "The token in Console-User has expired; tokens are valid for an hour. Ask the person to open "
    "the application again."
)
_WRONG_AUDIENCE = (
    "The token in Console-User was signed for another application, organization or "
    "environment than that of the key."
)
_NOT_A_TOKEN = (
    "Console-User must hold the token that this console signed when the person opened the "
    "application; a name or an e-mail address does not prove who a person is."
)
_NOT_A_MEMBER = "The person that Console-User names no longer belongs to this organization."


def _cache_key(token: str, holder: KeyHolder) -> str:
    return digest_of(f"{holder.key_id} {token}")


def _read(token: str, holder: KeyHolder) -> tuple[User, float]:
    claims = _claims(token, holder)
    members = _members().filter(organization=holder.organization_id)
    member = members.filter(user=claims["sub"]).first()
    if member is None:
        raise TokenRefused(_NOT_A_MEMBER)
    return member.user, claims["exp"] + LEEWAY.total_seconds()


def _members() -> QuerySet[Membership]:
    rows = Membership.objects.filter(user__is_active=True, deactivated_at=None)
    return rows.select_related("user")


def _fields_of(user: User) -> list[Any]:
    return [getattr(user, field.attname) for field in User._meta.concrete_fields]


def _claims(token: str, holder: KeyHolder) -> dict[str, Any]:
    if len(token) > _MAX_LENGTH:
        raise TokenRefused(_NOT_A_TOKEN)
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
        raise TokenRefused(_WRONG_AUDIENCE) from None
    except (jwt.InvalidTokenError, TokenKey.DoesNotExist, ValueError, TypeError, AttributeError):
        raise TokenRefused(_NOT_A_TOKEN) from None


def _public(key_id: uuid.UUID) -> jwt.PyJWK:
    return jwt.PyJWK(_verifying().get(pk=key_id).public, algorithm=ALGORITHM)


def _verifying() -> Any:
    """Return the keys whose tokens may still be valid."""
    since = timezone.now() - LIFETIME - LEEWAY
    return TokenKey.objects.filter(Q(retired_at=None) | Q(retired_at__gt=since))


def _signing() -> TokenKey:
    """Return the signing key; the first call ever creates it."""
    key = TokenKey.objects.filter(signs=True).first()
    # A constraint allows one signing row, so a concurrent call finds the first one.
    return key or TokenKey.objects.get_or_create(signs=True, defaults=_new_pair())[0]


def _open_signing_key() -> tuple[TokenKey, jwt.PyJWK]:
    """Return the signing key with its private half; replace one that cannot be decrypted."""
    key = _signing()
    try:
        private = key.private.reveal()
    except SecretUnreadable:
        with transaction.atomic():
            # Concurrent calls wait here, and then find the new key.
            locked = TokenKey.objects.select_for_update().filter(pk=key.pk, signs=True).first()
            key = renew() if locked else _signing()
        private = key.private.reveal()
    return key, jwt.PyJWK(private, algorithm=ALGORITHM)


def _new_pair() -> dict[str, Any]:
    private = ec.generate_private_key(ec.SECP256R1())
    pk = uuid.uuid4()
    described = {"kid": str(pk), "use": "sig", "alg": ALGORITHM}
    return {
        "pk": pk,
        "private": ECAlgorithm.to_jwk(private, as_dict=True),
        "public": {**ECAlgorithm.to_jwk(private.public_key(), as_dict=True), **described},
    }
