from __future__ import annotations

import pytest

from connectors.http.retry_after import ONE_DAY, retry_after

DATE = "Wed, 21 Oct 2026 07:28:00 GMT"


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0),
        ("120", 120),
        (" 120 ", 120),
        ("999999999", ONE_DAY),
        ("Wed, 21 Oct 2026 07:28:30 GMT", 30),
        ("Wed, 21 Oct 2026 07:27:00 GMT", 0),
        ("Wed, 21 Oct 2099 07:27:00 GMT", ONE_DAY),
        ("Wednesday, 21-Oct-26 07:28:30 GMT", 30),
    ],
)
def test_it_parses_seconds_and_dates(value, seconds):
    assert retry_after({"retry-after": value, "date": DATE}) == seconds


@pytest.mark.parametrize(
    "value",
    ["", "-1", "1.5", "soon", "١٢", "9" * 5000, "Wed, 99 Oct 2026 07:28:00 GMT", "Wed, ", "\x00"],
)
def test_it_ignores_invalid_values(value):
    assert retry_after({"retry-after": value, "date": DATE}) is None


def test_the_header_can_be_missing():
    assert retry_after({}) is None
    assert retry_after({"retry-after": "Wed, 21 Oct 1999 07:28:00 GMT", "date": "x"}) == 0
