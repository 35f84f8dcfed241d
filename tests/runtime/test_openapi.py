"""The description of the API, and the API against it: whatever is sent, no 5xx of ours."""
# ruff: noqa: F401, F811  (fixtures of other rooms)

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.internal.conjecture.utils import many
from schemathesis.specs.openapi import _hypothesis

from console.runtime.problem_types import PROBLEM_TYPES
from tests.connectors.conftest import service
from tests.runtime.proxy.conftest import keyed, nothing_was_called_lately, upstream
from tests.runtime.served_in_process import served_in_process

EXAMPLES = 40


@pytest.fixture
def url() -> Iterator[str]:
    with served_in_process() as url:
        yield url


@pytest.fixture
def generates(monkeypatch) -> None:
    """Let the locked versions of schemathesis and its libraries work with each other.

    Schemathesis 4.24 asks jsonschema-rs 0.61 for what that calls by another name, so it takes
    its older way; and there hypothesis-jsonschema 0.23 asks Hypothesis for ``more``, which
    became an iterator.
    """

    def more(elements: Any) -> bool:
        if not hasattr(elements, "left"):
            elements.left = iter(elements.__enter__())
        return next(elements.left, elements) is None

    monkeypatch.setattr(_hypothesis, "_canonical_strategy_or_none", lambda *_: None)
    monkeypatch.setattr(many, "more", more, raising=False)


@pytest.fixture
def description(db, client) -> dict:
    response = client.get("/api/v1/openapi.json")
    assert response.status_code == 200
    return response.json()


def test_it_describes_every_route(description):
    assert set(description["paths"]) == {
        "/api/v1/connections/",
        "/api/v1/connections/{link_name}/",
        "/api/v1/connections/{link_name}/proxy/{path}",
        "/api/v1/functions/{link_name}/run",
    }
    methods = set(description["paths"]["/api/v1/connections/{link_name}/proxy/{path}"])
    assert methods == {"get", "head", "post", "put", "patch", "delete", "options"}


def test_every_operation_tells_of_problems_keys_and_people(description):
    for path in description["paths"].values():
        for operation in path.values():
            assert "application/problem+json" in operation["responses"]["default"]["content"]
            assert operation["security"] == [{"KeyAuth": []}]
            assert "Console-User" in {each["name"] for each in operation["parameters"]}
    assert description["components"]["securitySchemes"]["KeyAuth"]["scheme"] == "bearer"
    types = description["components"]["schemas"]["Problem"]["properties"]["type"]["enum"]
    assert {each.rpartition("/")[2] for each in types} == set(PROBLEM_TYPES)


def test_its_operations_have_names_of_their_own(description):
    names = [op["operationId"] for path in description["paths"].values() for op in path.values()]
    assert len(names) == len(set(names))


def test_it_is_the_same_for_everybody(client, developer_client, description):
    assert developer_client.get("/api/v1/openapi.json").json() == description


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("with_key", [True, False], ids=["key", "no key"])
def test_whatever_is_sent_is_answered(
    with_key,
    key_of,
    keyed,
    build,
    upstream,
    description,
    generates,
    url,
):
    build("Find", keyed)
    upstream.answers({"ok": True})
    schema = schemathesis.openapi.from_dict(description)
    headers = {"Accept-Encoding": "identity"}
    if with_key:
        headers["Authorization"] = f"Bearer {key_of()}"
    met: set[int] = set()
    for result in schema.get_all_operations():
        operation = result.ok()

        @settings(
            max_examples=EXAMPLES,
            derandomize=True,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy())
        def answers(case) -> None:
            if str(case.media_type).startswith("multipart/"):
                return  # the library cannot write one out of what it has thought of
            if "form" in str(case.media_type) and not isinstance(case.body, dict):
                return  # nor a form
            for name, real in (("link_name", "orders"), ("link_name", "find")):
                if name in (case.path_parameters or {}) and len(met) % 2:
                    case.path_parameters[name] = real
            case.headers = {
                name: value
                for name, value in (case.headers or {}).items()
                if name != "Authorization"
            } | headers
            response = case.call(base_url=url)
            met.add(response.status_code)
            assert response.status_code < 500, (case.method, case.path, response.content)
            if response.status_code >= 400 or not with_key:
                (media_type,) = response.headers["content-type"]
                assert media_type == "application/problem+json"
                if case.method != "HEAD":
                    document = json.loads(response.content)
                    assert document["status"] == response.status_code
                    assert document["type"].rpartition("/")[2] in PROBLEM_TYPES

        answers()
    assert met & {401, 404} and (200 in met) == with_key
