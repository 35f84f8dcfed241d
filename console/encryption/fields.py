"""The one place where secrets are sealed and opened.

A :class:`SealedField` keeps a JSON value encrypted under the key ring
``settings.CRYPTOGRAPHY_KEYS`` (the first key writes, all of them read). The identity of
the row is inside the sealed value and compared on opening, so that a ciphertext copied
into another row, field or organization opens nothing. Values are opened on use
(``row.secret.reveal()``), never on load, and never by ``str``, ``repr`` or a dump.
"""

from __future__ import annotations

import functools
import hashlib
import json
from base64 import b64decode, b64encode
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import models
from django.db.models.query_utils import DeferredAttribute
from django_cryptography.fields import EncryptedMixin

from connectors.errors import ServiceError


class SecretUnreadable(ServiceError):
    """A sealed value that does not open: its key is gone or it belongs to another row.

    A ``ServiceError``, because without the secret no service can be asked for anything.
    """


@functools.cache
def _ring(keys: tuple[str, ...]) -> MultiFernet:
    try:
        return MultiFernet([Fernet(key) for key in keys])
    except ValueError as error:
        raise ImproperlyConfigured(
            "CRYPTOGRAPHY_KEYS must be one or more Fernet keys (32 bytes, base64), "
            "separated by commas, the newest one first."
        ) from error


def key_ring() -> MultiFernet:
    """Return the keys as they are configured now."""
    return _ring(tuple(settings.CRYPTOGRAPHY_KEYS))


@functools.cache
def _fernet(key: str) -> Fernet:
    return Fernet(key)


def is_under_first_key(token: bytes) -> bool:
    """Tell whether a sealed value opens with the key that writes."""
    key_ring()  # says what is wrong with the keys themselves
    try:
        _fernet(settings.CRYPTOGRAPHY_KEYS[0]).decrypt(token)
    except InvalidToken:
        return False
    return True


def first_key_id() -> str:
    """Name the key that writes. Keys are random, so that their hash does not lead to them."""
    key_ring()
    return hashlib.sha256(settings.CRYPTOGRAPHY_KEYS[0].encode()).hexdigest()[:16]


def seal_text(text: str, *, purpose: str) -> str:
    """Encrypt a text that lies outside a sealed field; it opens for the same purpose alone."""
    return key_ring().encrypt(json.dumps([purpose, text]).encode()).decode()


def open_text(sealed: str, *, purpose: str, max_age: int | None = None) -> str:
    """Decrypt what :func:`seal_text` gave, at most ``max_age`` seconds ago."""
    try:
        # As bytes: cryptography takes letters beyond ASCII in a text for a fault of its caller.
        sealed_for, text = json.loads(key_ring().decrypt(sealed.encode(), ttl=max_age))
    except InvalidToken as error:
        raise SecretUnreadable(
            f"A {purpose} does not open with any key of CRYPTOGRAPHY_KEYS, or it is too old."
        ) from error
    if sealed_for != purpose:
        raise SecretUnreadable(f"What was sealed as another thing was read as a {purpose}.")
    return text


class _Sealed(bytes):
    """Ciphertext as it stands in the row."""


class _Plain:
    """A value that was assigned and is not saved yet."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value


class Secret:
    """What reading a sealed attribute gives: opened by ``reveal``, shown by nothing."""

    __slots__ = ("_field", "_row", "_state")

    def __init__(self, row: models.Model, field: SealedField, state: _Sealed | _Plain) -> None:
        self._row, self._field, self._state = row, field, state

    def __repr__(self) -> str:
        return "<Secret>"

    def __format__(self, spec: str) -> str:
        return format(repr(self), spec)

    def reveal(self) -> Any:
        """Return the JSON value; raise :class:`SecretUnreadable` if it does not open."""
        if isinstance(self._state, _Plain):
            return self._state.value
        return self._field.open(self._row, self._state)


class SealedAttribute(DeferredAttribute):
    """The attribute of a row: gives a :class:`Secret`, takes a JSON value or ``None``."""

    field: SealedField

    def __get__(self, instance: models.Model | None, cls: type | None = None) -> Any:
        if instance is None:
            return self
        state = super().__get__(instance, cls)
        return None if state is None else Secret(instance, self.field, state)

    def __set__(self, instance: models.Model, value: Any) -> None:
        if isinstance(value, Secret):
            value = value._state
        elif value is not None and not isinstance(value, _Sealed):
            value = _Plain(value)
        instance.__dict__[self.field.attname] = value


class SealedField(EncryptedMixin, models.BinaryField):
    """A secret of its row, ``bound_to`` the named attributes of the row beside its key."""

    descriptor_class = SealedAttribute
    # What reading and assigning give, for django-stubs.
    _pyi_private_get_type: Any
    _pyi_private_set_type: Any
    supported_lookups = ("isnull", "exact")  # type: ignore[assignment]

    def __init__(self, *args: Any, bound_to: tuple[str, ...] = (), **kwargs: Any) -> None:
        self.bound_to = tuple(bound_to)
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        name, _, args, kwargs = models.BinaryField.deconstruct(self)
        kwargs.pop("key", None)
        kwargs.pop("ttl", None)
        if self.bound_to:
            kwargs["bound_to"] = self.bound_to
        return name, f"{type(self).__module__}.{type(self).__qualname__}", args, kwargs

    def clone(self) -> SealedField:
        _, _, args, kwargs = self.deconstruct()
        return type(self)(*args, **kwargs)

    def seal(self, row: models.Model, value: Any) -> bytes:
        """Encrypt a JSON value for this row and no other."""
        text = json.dumps({"row": self._identity(row), "value": value}, separators=(",", ":"))
        return key_ring().encrypt(text.encode())

    def open(self, row: models.Model, sealed: bytes) -> Any:
        """Decrypt what was sealed for this row."""
        try:
            document = json.loads(key_ring().decrypt(bytes(sealed)))
        except InvalidToken as error:
            raise SecretUnreadable(
                f"The secret of {row._meta.verbose_name} {row.pk} does not open with any key of "
                "CRYPTOGRAPHY_KEYS. Whoever runs this console can add the key it was written with."
            ) from error
        if document["row"] != self._identity(row):
            raise SecretUnreadable(
                f"The secret of {row._meta.verbose_name} {row.pk} was sealed for another row."
            )
        return document["value"]

    def sealed(self, ciphertext: bytes) -> bytes:
        """Mark ciphertext as such, for a write past the row (key rotation)."""
        return _Sealed(ciphertext)

    def _identity(self, row: models.Model) -> list[str]:
        bound = [str(getattr(row, name)) for name in self.bound_to]
        return [row._meta.label_lower, str(row.pk), self.attname, *bound]

    # Between the row and the database

    def pre_save(self, model_instance: models.Model, add: bool) -> bytes | None:
        state = model_instance.__dict__.get(self.attname)
        if isinstance(state, _Plain):
            state = _Sealed(self.seal(model_instance, state.value))
            model_instance.__dict__[self.attname] = state
        return state

    def from_db_value(self, value: Any, *args: Any) -> Any:
        return None if value is None else _Sealed(bytes(value))

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        if isinstance(value, Secret):
            value = value._state
        if value is not None and not isinstance(value, _Sealed):
            raise TypeError(f"Set {self.name} on a row and save the row: a secret needs its row.")
        return models.BinaryField.get_db_prep_value(self, value, connection, prepared)

    def to_python(self, value: Any) -> Any:
        """Take back what :meth:`value_to_string` wrote (``loaddata``)."""
        return _Sealed(b64decode(value)) if isinstance(value, str) else value

    def value_to_string(self, obj: models.Model) -> str | None:  # type: ignore[override]
        """Give the ciphertext, base64: a dump without the keys holds no secret."""
        state = obj.__dict__.get(self.attname)
        if isinstance(state, _Plain):
            state = self.seal(obj, state.value)
        return None if state is None else b64encode(state).decode()


def sealed_fields() -> list[tuple[type[models.Model], SealedField]]:
    """List every sealed field of every installed model."""
    from django.apps import apps  # models import this module while applications load

    return [
        (model, field)
        for model in apps.get_models()
        for field in model._meta.local_fields
        if isinstance(field, SealedField)
    ]
