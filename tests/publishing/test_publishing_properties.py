"""After any sequence of edits, publishing and rollbacks, every release is complete."""

from __future__ import annotations

import contextlib
import itertools
import json
import uuid

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from connections.models import Connection, ReleasedConnection
from console.accounts.models import Membership, Organization, User
from console.applications.models import Application
from console.choices import ComponentKind, Role
from console.components import saving
from console.components.models import Component, Reference
from console.publishing import publishing
from console.publishing.environment_state import manifest_in, release_in_stage
from console.publishing.manifest import digest_of
from console.publishing.models import Release

NAMES = ["A", "B", "C", "D", "E"]
SCOPES = ["contacts.read", "contacts.write", "orders.read", "orders.write"]


class Console(RuleBasedStateMachine):
    """One application that is edited, published and rolled back."""

    def __init__(self) -> None:
        super().__init__()
        self.numbers = itertools.count(1)
        # Several machines may live in one transaction, and an address in memory is used again.
        name = uuid.uuid4().hex
        studio = Organization.objects.create(name="Studio", slug=name)
        self.user = User.objects.create_user(f"{name}@studio.example", "pass-word-1")
        Membership.objects.create(user=self.user, organization=studio, role=Role.SUPER_ADMIN)
        self.application = Application.objects.create(
            organization=studio, name="App", link_name="app"
        )

    def connections(self) -> list[Connection]:
        return list(Connection.objects.filter(application=self.application).order_by("link_name"))

    def components(self, *kinds: str) -> list[Component]:
        rows = self.application.components.order_by("link_name")
        return list(rows.filter(kind__in=kinds) if kinds else rows)

    @rule(scopes=st.sets(st.sampled_from(SCOPES), min_size=1))
    def connect(self, scopes) -> None:
        if len(self.connections()) < 5:
            number = next(self.numbers)
            Connection.objects.create(
                application=self.application,
                connector_slug="sandbox",
                auth_type="oauth2",
                name=f"Connection {number}",
                link_name=f"connection_{number}",
                scopes=sorted(scopes),
                status=Connection.Status.CREATED,
                created_by=self.user,
            )

    @rule(data=st.data(), scopes=st.sets(st.sampled_from(SCOPES), min_size=1))
    def change_scopes(self, data, scopes) -> None:
        if rows := self.connections():
            row = data.draw(st.sampled_from(rows))
            row.scopes = sorted(scopes)
            row.save()

    @rule(data=st.data(), name=st.sampled_from(NAMES))
    def write_function(self, data, name) -> None:
        known = [row.link_name for row in self.connections()]
        called = data.draw(st.lists(st.sampled_from(known), max_size=3)) if known else []
        self._write(
            name,
            ComponentKind.FUNCTION,
            {"calls": [{"connection": c, "path": "/contacts"} for c in called]},
        )

    @rule(data=st.data(), name=st.sampled_from(["V", "W"]))
    def write_workflow(self, data, name) -> None:
        known = [row.link_name for row in self.components(ComponentKind.FUNCTION)]
        steps = data.draw(st.lists(st.sampled_from(known), max_size=3)) if known else []
        self._write(name, ComponentKind.WORKFLOW, {"steps": [{"function": step} for step in steps]})

    def _write(self, name: str, kind: str, definition: object) -> None:
        row = self.application.components.filter(link_name=name.lower()).first()
        text = json.dumps(definition)
        if row is None:
            saving.create(
                Component(application=self.application, kind=kind, name=name, definition=text),
                self.user,
            )
        else:
            row.definition = text
            saving.save(row, self.user, version=row.version)

    @rule(data=st.data())
    def delete_component(self, data) -> None:
        if rows := self.components():
            with contextlib.suppress(saving.StillUsed):
                saving.delete(data.draw(st.sampled_from(rows)), self.user)

    @rule(data=st.data())
    def publish(self, data) -> None:
        stage, development = (manifest_in(self.application, e) for e in ("stage", "development"))
        names = sorted({*stage.components, *development.components})
        ticked = data.draw(st.sets(st.sampled_from(names))) if names else set()
        try:
            release = publishing.publish(self.application, self.user, ticked=ticked).release
        except publishing.NothingSelected:
            return
        for name in ticked & development.components.keys():
            assert release.manifest.components[name] == development.components[name]

    @precondition(lambda self: self.application.releases.exists())
    @rule(data=st.data())
    def roll_back(self, data) -> None:
        release = data.draw(st.sampled_from(list(self.application.releases.all())))
        publishing.roll_back(self.application, self.user, to=release)

    @invariant()
    def every_release_is_whole(self) -> None:
        for release in Release.objects.filter(application=self.application):
            assert release.manifest.unresolved() == []
            assert release.digest == digest_of(release.content)
            assert release.manifest.text == release.content

    @invariant()
    def numbers_have_no_gap(self) -> None:
        numbers = sorted(self.application.releases.values_list("number", flat=True))
        assert numbers == list(range(1, len(numbers) + 1))

    @invariant()
    def stage_is_what_its_release_says(self) -> None:
        release = release_in_stage(self.application)
        snapshot = {} if release is None else release.manifest.connections
        rows = ReleasedConnection.objects.filter(connection__application=self.application)
        assert {row.connection.link_name: row.snapshot for row in rows} == snapshot

    @invariant()
    def references_are_what_the_components_say(self) -> None:
        development = manifest_in(self.application, "development")
        assert development.unresolved() == []
        assert {
            (r.component.link_name, r.connection.link_name)
            for r in Reference.objects.filter(component__application=self.application)
        } == {
            (part.link_name, name)
            for part in development.components.values()
            for name in part.reached.connections
        }


class TestAnySequence(TestCase, Console.TestCase):
    settings = settings(
        max_examples=30,
        stateful_step_count=20,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )


pytestmark = pytest.mark.django_db
