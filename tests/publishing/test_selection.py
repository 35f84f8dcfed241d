"""Which changes are published when some are ticked."""

from __future__ import annotations

from dataclasses import replace

import pytest

from console.publishing.manifest import ComponentSnapshot, Manifest
from console.publishing.manifest_diff import ChangeStatus
from console.publishing.selection import UnresolvedReference, select
from tests.publishing.manifests import BOTH, NOTHING, connection, function, manifest, workflow


def test_a_connection_is_published_with_a_component_that_references_it():
    selection = select(NOTHING, BOTH, ["find"])

    assert set(selection.result.components) == {"find"}
    assert set(selection.result.connections) == {"people"}
    assert selection.connection_changes["people"].is_included
    assert not selection.connection_changes["parts"].is_included
    assert "only together with Order" in selection.connection_changes["parts"].reason


def test_an_unreferenced_connection_is_not_published():
    selection = select(
        NOTHING,
        manifest(*BOTH.components.values(), *BOTH.connections.values(), connection("spare")),
        ["find", "order"],
    )
    assert not selection.connection_changes["spare"].is_included
    assert "no component references it" in selection.connection_changes["spare"].reason
    assert "spare" not in selection.result.connections


def test_a_component_whose_connection_changed_can_be_published():
    development = replace(
        BOTH, connections={**BOTH.connections, "people": connection("people", "x")}
    )

    selection = select(BOTH, development, ["find"])

    change = selection.changes.components["find"]
    assert change.status is ChangeStatus.MODIFIED
    assert change.changed_connections == ("people",)
    assert "order" not in selection.changes.components
    assert selection.result.connections["people"].scopes == ("x",)


def test_a_changed_connection_is_not_published_without_its_component():
    development = manifest(
        function("find", "people", note="new"),
        function("order", "parts", note="new"),
        connection("people", "x"),
        connection("parts", "x"),
    )

    result = select(BOTH, development, ["order"]).result

    assert result.connections["people"] == BOTH.connections["people"]
    assert result.connections["parts"] == development.connections["parts"]
    assert result.components["find"] == BOTH.components["find"]


def test_a_workflow_includes_the_functions_that_it_runs():
    development = manifest(
        *BOTH.components.values(), *BOTH.connections.values(), workflow("morning", "find")
    )

    selection = select(NOTHING, development, ["morning"])

    assert selection.ticked == {"morning", "find"}
    assert selection.needed_by == {"find": ("Morning",)}
    assert set(selection.result.connections) == {"people"}


def test_a_deleted_function_includes_the_change_of_its_last_user():
    stage = manifest(
        *BOTH.components.values(), *BOTH.connections.values(), workflow("morning", "find")
    )
    development = manifest(
        function("order", "parts"),
        connection("people"),
        connection("parts"),
        workflow("morning", "order"),
    )

    selection = select(stage, development, ["find"])

    assert selection.ticked == {"find", "morning"}
    assert set(selection.result.components) == {"order", "morning"}


def test_a_replaced_function_includes_the_change_of_its_last_user():
    stage = manifest(
        *BOTH.components.values(), *BOTH.connections.values(), workflow("morning", "find")
    )
    page = ComponentSnapshot(
        kind="page", name="Find", link_name="find", definition={"sections": []}
    )
    development = manifest(
        page,
        function("order", "parts"),
        *BOTH.connections.values(),
        workflow("morning", "order"),
    )

    selection = select(stage, development, ["find"])

    assert selection.ticked == {"find", "morning"}
    assert selection.result.unresolved() == []


def test_a_connection_is_removed_with_its_last_reference():
    development = manifest(
        function("find"), function("order", "parts"), connection("people"), connection("parts")
    )

    selection = select(BOTH, development, ["find"])

    assert set(selection.result.connections) == {"parts"}
    assert selection.connection_changes["people"].change.status is ChangeStatus.DELETED


def test_names_that_are_not_changes_are_ignored():
    assert select(BOTH, BOTH, ["find", "nonsense"]).ticked == frozenset()


def test_the_order_of_keys_is_not_a_change():
    part = BOTH.components["find"]
    turned = replace(part, definition=dict(reversed(part.definition.items())))
    development = replace(BOTH, components={**BOTH.components, "find": turned})
    assert not select(BOTH, development, []).changes


def test_true_and_one_are_not_the_same():
    def page(value: object) -> Manifest:
        return manifest(
            ComponentSnapshot(
                kind="page", name="P", link_name="p", definition={"sections": [value]}
            )
        )

    assert select(page(1), page(True), []).changes.components["p"].status is ChangeStatus.MODIFIED


def test_it_refuses_an_unresolved_reference():
    with pytest.raises(UnresolvedReference):
        select(NOTHING, manifest(function("find", "gone")), ["find"])
