"""The model field for secrets: a JSON value, encrypted in the database and bound to its row.

The ciphertext contains the identity of its row, which is compared when it is decrypted: a
ciphertext copied to another row, field or organization cannot be decrypted there. Loading a row
decrypts nothing. ``row.secret.reveal()`` does, and ``str``, ``repr`` and dumps never do.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from typing import Any

from cryptography.fernet import InvalidToken
from django.apps import apps
from django.db import models
from django.db.models.query_utils import DeferredAttribute
from django_cryptography.fields import EncryptedMixin

from console.encryption.fernet_keys import SecretUnreadable, key_ring


class Ciphertext(bytes):
    """The encrypted value as it is stored in the row."""


class _Plaintext:
    """A value that was assigned and is not saved yet."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value


class Secret:
    """The value of an encrypted attribute. Only ``reveal`` decrypts it; ``repr`` hides it."""

    __slots__ = ("_field", "_row", "_state")

    def __init__(
        self, row: models.Model, field: EncryptedJSONField, state: Ciphertext | _Plaintext
    ) -> None:
        self._row, self._field, self._state = row, field, state

    def __repr__(self) -> str:
        return "<Secret>"

    def __format__(self, spec: str) -> str:
        return format(repr(self), spec)

    def reveal(self) -> Any:
        """Return the JSON value; raise :class:`SecretUnreadable` if it cannot be decrypted."""
        if isinstance(self._state, _Plaintext):
            return self._state.value
        return self._field.decrypt(self._row, self._state)


class EncryptedAttribute(DeferredAttribute):
    """The attribute on a row: reading it returns a :class:`Secret`; assign a JSON value or None."""

    field: EncryptedJSONField

    def __get__(self, instance: models.Model | None, cls: type | None = None) -> Any:
        if instance is None:
            return self
        state = super().__get__(instance, cls)
        return None if state is None else Secret(instance, self.field, state)

    def __set__(self, instance: models.Model, value: Any) -> None:
        if isinstance(value, Secret):
            value = value._state
        elif value is not None and not isinstance(value, Ciphertext):
            value = _Plaintext(value)
        instance.__dict__[self.field.attname] = value


class EncryptedJSONField(EncryptedMixin, models.BinaryField):
    """A secret JSON value, bound to its primary key and to the attributes in ``bound_to``."""

    descriptor_class = EncryptedAttribute
    # The types that django-stubs uses for reading and assigning.
    _pyi_private_get_type: Any
    _pyi_private_set_type: Any
    supported_lookups = ("isnull", "exact")  # type: ignore[assignment]  # the stub says list

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

    def clone(self) -> EncryptedJSONField:
        _, _, args, kwargs = self.deconstruct()
        return type(self)(*args, **kwargs)

    def encrypt(self, row: models.Model, value: Any) -> Ciphertext:
        """Encrypt a JSON value for this row only."""
        text = json.dumps({"row": self._identity(row), "value": value}, separators=(",", ":"))
        return Ciphertext(key_ring().encrypt(text.encode()))

    def decrypt(self, row: models.Model, ciphertext: bytes) -> Any:
        """Decrypt a value that was encrypted for this row."""
        try:
            document = json.loads(key_ring().decrypt(bytes(ciphertext)))
        except InvalidToken as error:
            raise SecretUnreadable(
                f"The secret of {row._meta.verbose_name} {row.pk} cannot be decrypted with any key "
                "in CRYPTOGRAPHY_KEYS. The operator of this console can add the key that encrypted "
                "it."
            ) from error
        if document["row"] != self._identity(row):
            raise SecretUnreadable(
                f"The secret of {row._meta.verbose_name} {row.pk} was encrypted for another row."
            )
        return document["value"]

    def _identity(self, row: models.Model) -> list[str]:
        bound = [str(getattr(row, name)) for name in self.bound_to]
        return [row._meta.label_lower, str(row.pk), self.attname, *bound]

    # Between the row and the database

    def pre_save(self, model_instance: models.Model, add: bool) -> Ciphertext | None:
        state = model_instance.__dict__.get(self.attname)
        if isinstance(state, _Plaintext):
            state = self.encrypt(model_instance, state.value)
            model_instance.__dict__[self.attname] = state
        return state

    def from_db_value(self, value: Any, *args: Any) -> Any:
        return None if value is None else Ciphertext(bytes(value))

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        if isinstance(value, Secret):
            value = value._state
        if value is not None and not isinstance(value, Ciphertext):
            raise TypeError(f"Set {self.name} on a row and save the row: a secret needs its row.")
        return models.BinaryField.get_db_prep_value(self, value, connection, prepared)

    def to_python(self, value: Any) -> Any:
        """Read what :meth:`value_to_string` has written (``loaddata``)."""
        return Ciphertext(b64decode(value)) if isinstance(value, str) else value

    def value_to_string(self, obj: models.Model) -> str | None:  # type: ignore[override]  # null
        """Return the ciphertext in base64: a dump holds no secret without the keys."""
        state = obj.__dict__.get(self.attname)
        if isinstance(state, _Plaintext):
            state = self.encrypt(obj, state.value)
        return None if state is None else b64encode(state).decode()


def encrypted_fields() -> list[tuple[type[models.Model], EncryptedJSONField]]:
    """List every encrypted field of every installed model."""
    return [
        (model, field)
        for model in apps.get_models()
        for field in model._meta.local_fields
        if isinstance(field, EncryptedJSONField)
    ]
