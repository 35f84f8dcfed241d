"""No response to a signed-in person may be stored by caches, on any route."""

from __future__ import annotations

import pytest

from console.accounts.policy import Audience
from tests.accounts.policy.visits import VISITS, address, rule

#: Public routes with the same response for everyone, which may be cached.
CACHED = {"jwks", "manifest"}


@pytest.mark.parametrize("who", ["own super_admin", "operator", "anonymous"])
def test_no_response_may_be_stored(who, things, come_as):
    """This includes redirects, refusals and rejected methods."""
    client, answers = come_as(who), {}
    for name in VISITS:
        if name != "account_logout":
            answers[name] = client.get(address(name, things)).headers.get("Cache-Control", "")
    assert {name for name, policy in answers.items() if "no-store" not in policy} == CACHED


def test_cached_responses_are_public():
    assert {rule(name).audience for name in CACHED} == {Audience.PUBLIC}


def test_a_missing_page_may_not_be_stored(come_as):
    assert come_as("own super_admin").get("/nothing/")["Cache-Control"] == "no-store"
