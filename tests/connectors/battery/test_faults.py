"""A definition that is broken in one way fails in the battery: each fault is proved."""

from __future__ import annotations

from dataclasses import replace

import pytest

from connectors.definitions.grant_end import GrantEnd
from connectors.definitions.schema import Connector, KeptField, TokenExchange
from tests.connectors.battery.broken_definitions import FAULTS, Break
from tests.connectors.battery.whole_flow import BatteryFailure, drive
from tests.connectors.definitions.test_catalogue import CONNECTORS

#: How many connectors each fault is tried on; the first of the catalogue that it applies to.
TRIED_ON = 30


def _more() -> list[Connector]:
    """Return connectors that use what no service of the catalogue needs just now."""
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


CANDIDATES = [*_more(), *CONNECTORS.values()]


@pytest.mark.parametrize("connector", _more(), ids=lambda connector: connector.slug)
def test_features_that_no_service_uses_work(connector: Connector) -> None:
    assert "revoke" in drive(connector)


@pytest.mark.parametrize("breaks", FAULTS.values(), ids=FAULTS)
def test_it_fails(breaks: Break, settings) -> None:
    settings.ALLOWED_PRIVATE_HOSTS = ["localhost:9000"]
    broken = ((connector, breaks(connector)) for connector in CANDIDATES)
    applies = [(connector, copy) for connector, copy in broken if copy is not None]
    assert applies
    for connector, copy in applies[:TRIED_ON]:
        with pytest.raises(BatteryFailure):
            drive(connector, copy)
