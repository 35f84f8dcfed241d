"""The metric that counts the results of token requests by connector."""

from __future__ import annotations

import pytest

from connections.credentials.refreshing import fresh_secret
from connections.models import Credential
from connectors.errors import ServiceError
from console.monitoring.metrics import REGISTRY


def counted(outcome: str) -> float:
    labels = {"connector": "sandbox", "outcome": outcome}
    return REGISTRY.get_sample_value("console_refreshes_total", labels) or 0


@pytest.mark.parametrize(
    ("mode", "outcome"), [("ok", "renewed"), ("500", "unavailable"), ("revoked", "refused")]
)
def test_it_is_counted(connection, sandbox, mode, outcome):
    before = {each: counted(each) for each in ("renewed", "unavailable", "refused")}
    sandbox.switches(token=mode)
    try:
        fresh_secret(Credential.objects.get(), force=True)
    except ServiceError:
        assert mode != "ok"
    after = {each: counted(each) for each in before}
    assert after == before | {outcome: before[outcome] + 1}
