"""When a key was last used: noted while requests run, written when an answer is out.

At most once a minute a key. Django's own requests write at their end; what answers without
Django calls :func:`write` when it has time.
"""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from threading import Lock

from django.db import DatabaseError
from django.db.models import Q
from django.utils import timezone

from console.database import give_back
from console.keys.models import ApiKey

AT_MOST_EVERY = timedelta(minutes=1)
_used: dict[uuid.UUID, datetime] = {}
_lock = Lock()


def note(key: uuid.UUID, last_used_at: datetime | None) -> None:
    """Note a use that is worth writing down."""
    now = timezone.now()
    if last_used_at is None or last_used_at <= now - AT_MOST_EVERY:
        with _lock:
            _used[key] = now


def write() -> None:
    """Write what is noted; what the database does not take now is noted again by a later use."""
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
        # Django looked after the request's connection before this.
        give_back()
