"""Session store with hashed keys (``SESSION_ENGINE``): a stolen table opens no session.

The cookie holds the session key, and the database only its SHA-256.
"""

from __future__ import annotations

import hashlib
from typing import Any

from django.contrib.sessions.backends import db
from django.contrib.sessions.backends.base import SessionBase
from django.utils import timezone

#: The column's length: 160 bits, about as many as a session key has.
DIGITS = 40


def row_key(session_key: str) -> str:
    """Return the hash under which a session is stored."""
    return hashlib.sha256(session_key.encode()).hexdigest()[:DIGITS]


class SessionStore(db.SessionStore):
    """Django's database-backed sessions, with the key hashed in every query."""

    def load(self) -> dict[str, Any]:
        rows = self.model.objects.filter(expire_date__gt=timezone.now())
        row = rows.filter(session_key=row_key(self.session_key or "")).first()
        if row is None:
            self._session_key = None
            return {}
        return self.decode(row.session_data)

    def exists(self, session_key: str) -> bool:
        return super().exists(row_key(session_key))

    def create_model_instance(self, data: dict[str, Any]) -> Any:
        row = super().create_model_instance(data)
        row.session_key = row_key(row.session_key)
        return row

    def delete(self, session_key: str | None = None) -> None:
        key = session_key or self.session_key
        if key is not None:
            super().delete(row_key(key))

    # The asynchronous methods of ``db.SessionStore`` use the plain key; these call the above.
    aload = SessionBase.aload
    aexists = SessionBase.aexists
    acreate = SessionBase.acreate
    asave = SessionBase.asave
    adelete = SessionBase.adelete
