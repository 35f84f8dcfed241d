"""Every connector of the catalogue goes through the same battery."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from connectors.definitions.schema import Connector
from tests.connectors.battery.whole_flow import drive
from tests.connectors.definitions.test_catalogue import CONNECTORS


@pytest.mark.parametrize("connector", CONNECTORS.values(), ids=CONNECTORS)
def test_it_works(
    connector: Connector, settings, record_property: Callable[[str, object], None]
) -> None:
    settings.ALLOWED_PRIVATE_HOSTS = ["localhost:9000"]  # the sandbox's
    steps = drive(connector)
    assert {"check", "check refused", "invoke"} <= set(steps)
    record_property("battery_steps", len(steps))
