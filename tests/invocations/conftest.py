"""Fixtures that write the call log without making calls."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from console.invocations.hourly_counts import count
from console.invocations.log_writer import _insert


@pytest.fixture
def log() -> Callable[..., None]:
    """Return a function that writes rows of the call log, dated ``ago`` before now."""

    def write(connection, number: int = 1, *, ago: timedelta = timedelta(), **fields: Any) -> None:
        application = connection.application
        row = {
            "organization_id": application.organization_id,
            "application_id": application.pk,
            "connection_id": connection.pk,
            "environment": "development",
            "key_prefix": "ck_dev_abc",
            "method": "GET",
            "host": "api.example.com",
            "path": "/contacts",
            "status": 200,
            "problem": "",
            "milliseconds": 40,
            "at": timezone.now() - ago,
        } | fields
        with transaction.atomic():
            _insert([row] * number)
            count([row] * number)

    return write
