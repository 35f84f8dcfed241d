from __future__ import annotations

from dataclasses import replace

import pytest

from connectors.api.www_authenticate import refuses_credential
from connectors.definitions.schema import Check


@pytest.mark.parametrize(
    ("status", "challenges", "refused"),
    [
        (401, [], True),
        (401, [""], True),
        (401, ["Basic realm=x"], True),
        (401, ['Bearer error="invalid_token"'], True),
        (401, ['Bearer error="insufficient_scope"'], False),
        (401, ['Bearer error="insufficient_scope", scope="a b"'], False),
        (401, ["Bearer error=insufficient_scope"], False),
        (401, ['BEARER ERROR = "INSUFFICIENT_SCOPE"'], False),
        (401, ["Basic realm=x", 'Bearer error="insufficient_scope"'], False),
        (401, ['Bearer x_error="insufficient_scope"'], True),
        (401, ['Bearer error="insufficient_scope_or_not"'], True),
        (403, [], False),
        (419, [], True),
        (419, ['Bearer error="insufficient_scope"'], False),
        (200, [], False),
        (500, [], False),
    ],
)
def test_it_tells_a_refused_credential_from_a_missing_permission(
    make_connector, status, challenges, refused
) -> None:
    connector = replace(make_connector(), check=Check(path="/me", refused_statuses=(419,)))
    assert refuses_credential(connector, status, challenges) is refused
