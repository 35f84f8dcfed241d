"""Record when keys were last used: collected during requests, written after the response.

At most once a minute for each key. Django's requests write when they finish; the proxy calls
:func:`write` itself.
"""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from threading import Lock

from django.db import DatabaseError
from django.db.models import Q
from django.utils import timezone

from console.database import release_connection
from console.keys.models import ApiKey

AT_MOST_EVERY = timedelta(minutes=1)
_used: dict[uuid.UUID, datetime] = {}
_lock = Lock()


def note(key: uuid.UUID, last_used_at: datetime | None) -> None:
    """Record a use, unless the last one was less than a minute ago."""
    now = timezone.now()
    if last_used_at is None or last_used_at <= now - AT_MOST_EVERY:
        with _lock:
            _used[key] = now


def is_waiting() -> bool:
    """Tell whether there is anything to write."""
    return bool(_used)


def write() -> None:
    """Write the recorded uses. On a database error they are lost; a later use is recorded again."""
    if not _used:
        return
    with _lock:
        noted = dict(_used)
        _used.clear()
    try:
        for key, at in noted.items():
            older = Q(last_used_at=None) | Q(last_used_at__lte=at - AT_MOST_EVERY)
            ApiKey.objects.filter(older, pk=key).update(last_used_at=at)
    except DatabaseError:
        pass
    finally:
        # Django has already released the request's connection.
        release_connection()
