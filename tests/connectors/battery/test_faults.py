"""The battery detects every kind of fault in a definition."""

from __future__ import annotations

from dataclasses import replace

import pytest

from connectors.definitions.grant_end import GrantEnd
from connectors.definitions.schema import Connector, KeptField, TokenExchange
from tests.connectors.battery.broken_definitions import FAULTS, Break
from tests.connectors.battery.whole_flow import BatteryFailure, drive
from tests.connectors.definitions.test_catalogue import CONNECTORS

#: The most connectors that each fault is tried on, in the order of the catalogue.
MAX_CONNECTORS = 30


def _connectors_with_unused_features() -> list[Connector]:
    """Return connectors that use features that no service in the catalogue uses at present."""
    slack, facebook = CONNECTORS["slack"], CONNECTORS["facebook"]
    assert slack.oauth2 and facebook.oauth2
    person = replace(
        slack.oauth2,
        token_path="authed_user",
        token_parameters={"expiring": "1"},
        refresh_scope=True,
        grant_ends=(GrantEnd(status=400),),
    )
    renewal = TokenExchange(
        endpoint="https://graph.facebook.com/renew",
        grant_type="renew",
        parameter="access_token",
        client=(),
    )
    code = KeptField(name="shop", source="callback", path="shop", pattern="[a-z]{3}")
    return [
        replace(slack, oauth2=person),
        replace(facebook, oauth2=replace(facebook.oauth2, renewal=renewal, kept=(code,))),
    ]


CANDIDATES = [*_connectors_with_unused_features(), *CONNECTORS.values()]


@pytest.mark.parametrize(
    "connector", _connectors_with_unused_features(), ids=lambda connector: connector.slug
)
def test_features_that_no_service_uses_work(connector: Connector) -> None:
    assert "revoke" in drive(connector)


@pytest.mark.parametrize("breaks", FAULTS.values(), ids=FAULTS)
def test_it_fails(breaks: Break, settings) -> None:
    settings.ALLOWED_PRIVATE_HOSTS = ["localhost:9000"]
    broken = ((connector, breaks(connector)) for connector in CANDIDATES)
    applies = [(connector, copy) for connector, copy in broken if copy is not None]
    assert applies
    for connector, copy in applies[:MAX_CONNECTORS]:
        with pytest.raises(BatteryFailure):
            drive(connector, copy)
