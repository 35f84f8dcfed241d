"""Import an application: complete or not at all, and under free names."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connections.models import Authorization, Connection
from console.accounts.models import Membership, Organization
from console.applications.models import Application
from console.choices import Role
from console.components.definitions import parse
from console.components.json_source import JsonFaults
from console.components.models import Component, Reference
from console.transfer.exporting import export
from console.transfer.importing import NameConflict, import_application, read
from tests.transfer.files import component, connection, document, many, text_of


def with_old_names(text: str, old: dict[str, str]) -> Any:
    """Return an export with the old names restored, sorted by link name."""
    for new, name in sorted(old.items(), key=lambda pair: -len(pair[0])):
        text = text.replace(json.dumps(new), json.dumps(name))
    held = json.loads(text)
    for part in ("connections", "components"):
        held[part].sort(key=lambda item: item["link_name"])
    return held


def test_it_works(studio, super_admin):
    application = import_application(text_of(document()), studio, super_admin)

    assert (application.name, application.link_name) == ("Repairs", "repairs")
    assert application.organization == studio
    connection = application.connections.get()
    assert (connection.status, connection.created_by) == ("created", super_admin)
    assert (connection.name, connection.link_name) == ("Customers", "customers")
    function = application.components.get(link_name="add_customer")
    assert function.updated_by == super_admin
    assert parse(function.kind, function.definition).connections == ("customers",)
    assert list(Reference.objects.values_list("component", "connection")) == [
        (function.pk, connection.pk)
    ]
    assert not Authorization.objects.exists()


def test_what_is_exported_again_is_the_same(
    studio, super_admin, stranger_organization, other_super_admin
):
    first = export(import_application(text_of(document()), studio, super_admin))
    assert first == text_of(document())
    again = import_application(first, stranger_organization, other_super_admin)
    assert export(again) == first


def test_in_the_same_organization_only_names_differ(repairs, studio, super_admin):
    original = export(repairs)
    for suffix in ("_copy", "_copy_2", "_copy_3"):
        made = import_application(original, studio, super_admin)
        again = export(made)
        assert (made.name, made.link_name) == (f"Repairs{suffix}", f"repairs{suffix}")
        assert made.connections.get().name == f"Customers{suffix}"
        assert made.connections.get().link_name == f"customers{suffix}"
        names = ("Repairs", "repairs", "Customers", "customers")
        old = {f"{name}{suffix}": name for name in names}
        assert again != original
        assert with_old_names(again, old) == json.loads(original)
    assert export(repairs) == original


def test_names_of_other_applications_are_taken(application, connect, studio, super_admin):
    connect(name="CUSTOMERS", link_name="something_else")
    made = import_application(text_of(document()), studio, super_admin)
    assert (made.name, made.link_name) == ("Repairs", "repairs")
    assert made.connections.get().name == "Customers_copy"


def test_names_of_drafts_are_free(connect, studio, super_admin):
    connect(name="Customers", link_name="", status=Connection.Status.DRAFT)
    made = import_application(text_of(document()), studio, super_admin)
    assert made.connections.get().name == "Customers"


def test_names_of_other_organizations_are_free(connect, stranger_organization, other_super_admin):
    connect(name="Customers")
    made = import_application(text_of(document()), stranger_organization, other_super_admin)
    assert made.connections.get().name == "Customers"


def test_calls_use_the_new_names_and_bodies_stay_unchanged(repairs, studio, super_admin):
    body = {"connection": "customers", "note": "connection customers"}
    call = {"connection": "customers", "path": "/customers", "body": body}
    value = document(
        components=[
            component("f", "function", {"calls": [call], "later": {"deep": [dict(call)]}}),
            component("p", "page", {"customers": "customers"}),
        ]
    )
    made = import_application(text_of(value), studio, super_admin)
    held = json.loads(made.components.get(link_name="f").definition)
    for new in (held["calls"][0], held["later"]["deep"][0]):
        assert new == {**call, "connection": "customers_copy"}
    assert json.loads(made.components.get(link_name="p").definition) == {"customers": "customers"}


def test_renamed_connections_are_not_mixed_up(repairs, studio, super_admin):
    """A new name may equal the old name of another connection."""
    value = document(
        connections=[connection(), connection("Customers_copy", connector="sandbox_basic",
                     auth_type="basic", scopes=[])],
        components=[
            component("f", "function", {"calls": [
                {"connection": "customers", "path": "/a"},
                {"connection": "customers_copy", "path": "/b"},
            ]}),
        ],
    )  # fmt: skip
    import_application(text_of(document()), studio, super_admin)  # now both names are there
    made = import_application(text_of(value), studio, super_admin)
    found = {c.link_name: c for c in made.connections.all()}
    calls = json.loads(made.components.get().definition)["calls"]
    assert found[calls[0]["connection"]].connector_slug == "sandbox"
    assert found[calls[1]["connection"]].connector_slug == "sandbox_basic"
    assert sorted(c.name for c in found.values()) == ["Customers_copy_2", "Customers_copy_copy"]


def test_long_names_are_cut(studio, super_admin):
    value = document(
        application={"name": "N" * 100, "link_name": "n" * 60},
        connections=[connection("C" * 50, link_name="c" * 60)],
        components=[],
    )
    for suffix in ("", "_copy", "_copy_2"):
        made = import_application(text_of(value), studio, super_admin)
        assert made.name == ("N" * 100)[: 100 - len(suffix)] + suffix
        assert made.connections.get().name == ("C" * 50)[: 50 - len(suffix)] + suffix
        made.full_clean()
        made.connections.get().full_clean(validate_constraints=False)


def test_the_created_rows_are_valid(repairs):
    for each in [*repairs.connections.all(), *repairs.components.all()]:
        each.full_clean()


def test_a_definition_too_long_with_spaces_is_kept_without(studio, super_admin):
    wide = {"list": list(range(30_000))}
    value = document(components=[component("wide", definition=wide)])
    made = import_application(text_of(value), studio, super_admin)
    stored = made.components.get().definition
    assert parse("page", stored).value == wide
    assert export(made) == text_of(value)


def test_an_invalid_file_creates_nothing(studio, super_admin):
    value = document(connections=[connection(connector="sandbux")])
    with pytest.raises(JsonFaults):
        import_application(text_of(value), studio, super_admin)
    assert not Application.objects.exists()


def test_a_name_conflict_creates_nothing(studio, super_admin):
    """Two components with the same link name stand for a conflict in each attempt."""
    whole = read(text_of(document()))
    twice = {str(n): whole.components["add_customer"] for n in range(2)}
    with pytest.raises(NameConflict, match="Nothing was imported"):
        import_application(replace(whole, components=twice), studio, super_admin)
    for model in (Application, Connection, Component, Reference):
        assert not model.objects.exists()


@pytest.mark.parametrize("count", [20, 200])
def test_it_takes_a_constant_number_of_queries(
    studio, super_admin, count, django_assert_max_num_queries
):
    manifest = read(text_of(many(count)))
    with django_assert_max_num_queries(14 + 5):  # five record it: the first event of a chain
        made = import_application(manifest, studio, super_admin)
    assert made.components.count() == count
    assert Reference.objects.count() == count


@pytest.mark.django_db(transaction=True)
def test_simultaneous_imports_get_different_names(studio, super_admin, at_once):
    text = text_of(document())
    made = at_once(2, lambda: import_application(text, studio, super_admin))
    assert {each.link_name for each in made} == {"repairs", "repairs_copy"}
    names = set(Connection.objects.values_list("name", flat=True))
    assert names == {"Customers", "Customers_copy"}


def test_a_large_file_is_read_in_a_few_seconds():
    filling = {"fields": [{"name": f"f{n}", "label": "Label", "required": True} for n in range(12)]}
    value = document(components=[component(f"c{n}", "form", filling) for n in range(5000)])
    text = text_of(value)
    begun = time.monotonic()
    read(text)
    assert time.monotonic() - begun < 20


words = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)
plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**15), 10**15) | words
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(words.filter(lambda w: w not in ("connection", "function")), inner,
                      max_size=4),
    max_leaves=10,
)  # fmt: skip
pages = st.dictionaries(st.sampled_from(["a", "b", "Ω", "title x"]), plain, max_size=3)


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    definitions=st.lists(pages, max_size=4),
    bodies=st.lists(plain.filter(lambda body: "{{" not in json.dumps(body)), max_size=3),
)
def test_any_content_survives_import_and_export(studio, super_admin, definitions, bodies):
    value = document(
        components=[
            *(
                component(f"f{n}", "function", {"calls": [
                    {"connection": "customers", "path": "/x", "body": body}
                ]})
                for n, body in enumerate(bodies)
            ),
            *(component(f"p{n}", definition=each) for n, each in enumerate(definitions)),
        ]
    )  # fmt: skip
    organization = Organization.objects.create(
        name="New", slug=f"new-{Organization.objects.count()}"
    )
    Membership.objects.create(user=super_admin, organization=organization, role=Role.SUPER_ADMIN)
    text = text_of(value)
    made = import_application(text, organization, super_admin)
    assert export(made) == text
    copy = import_application(text, organization, super_admin)
    old = {"Repairs_copy": "Repairs", "repairs_copy": "repairs", "Customers_copy": "Customers",
           "customers_copy": "customers"}  # fmt: skip
    assert with_old_names(export(copy), old) == json.loads(text)
