"""No answer to somebody who is signed in is stored, whatever route is added."""

from __future__ import annotations

import pytest

from console.accounts.policy import Who
from tests.accounts.policy.visits import VISITS, address, rule

#: Public, the same for everybody, and cached on purpose.
CACHED = {"jwks"}


@pytest.mark.parametrize("name", VISITS)
def test_it_is_not_stored(name, things, come_as):
    visit, path = VISITS[name], address(name, things)
    for who in ("own super_admin", "operator", "anonymous"):
        response = getattr(come_as(who), visit.method)(path, visit.data)
        policy = response.headers.get("Cache-Control", "")
        assert ("no-store" in policy) != (name in CACHED), (who, response.status_code, policy)


def test_what_is_cached_is_public():
    assert {rule(name).who for name in CACHED} == {Who.PUBLIC}


def test_a_page_that_is_not_there_is_not_stored(come_as):
    assert come_as("own super_admin").get("/nothing/")["Cache-Control"] == "no-store"
