"""No answer to somebody who is signed in is stored, whatever route is added."""

from __future__ import annotations

import pytest

from console.accounts.policy import Audience
from tests.accounts.policy.visits import VISITS, address, rule

#: Public, the same for everybody, and cached on purpose.
CACHED = {"jwks"}


@pytest.mark.parametrize("who", ["own super_admin", "operator", "anonymous"])
def test_no_route_lets_its_answer_be_stored(who, things, come_as):
    """Also where it answers with a redirect, a refusal, or that it takes no GET."""
    client, answers = come_as(who), {}
    for name in VISITS:
        if name != "account_logout":
            answers[name] = client.get(address(name, things)).headers.get("Cache-Control", "")
    assert {name for name, policy in answers.items() if "no-store" not in policy} == CACHED


def test_what_is_cached_is_public():
    assert {rule(name).who for name in CACHED} == {Audience.PUBLIC}


def test_a_page_that_is_not_there_is_not_stored(come_as):
    assert come_as("own super_admin").get("/nothing/")["Cache-Control"] == "no-store"
