"""Fixtures that write the call log without making calls."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from console.invocations.equal_calls import count_equal
from console.invocations.hourly_counts import count
from console.invocations.log_table import insert
from tests.invocations.lines import call_line


@pytest.fixture
def log() -> Callable[..., None]:
    """Return a function that writes rows of the call log, dated ``ago`` before now."""

    def write(connection, number: int = 1, *, ago: timedelta = timedelta(), **fields: Any) -> None:
        line = call_line(connection, **{"at": timezone.now() - ago, **fields})
        with transaction.atomic():
            insert([line] * number)
            count(dict.fromkeys(count_equal([line]), number))

    return write
