"""Save and delete components; what they reference is found by reading them.

Whoever changes what references what holds the application's row: a connection cannot go
while a component that is just being saved begins to use it. Who may not build (any more) is
refused with :class:`~console.accounts.authority.NotAllowed`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F

from console.accounts import authority
from console.accounts.models import User
from console.accounts.policy import Action
from console.applications.link_names import free_link_name
from console.applications.locks import lock_application
from console.applications.models import Application
from console.audit.actions import AuditAction
from console.audit.log import Subject, record
from console.choices import ComponentKind
from console.components.definitions import ComponentDefinition, parse, reach, unknown
from console.components.json_source import JsonFaults, Problem, read, refuse
from console.components.models import Component, Reference


class ComponentConflict(Exception):
    """Somebody else has saved or deleted the component since it was read."""


class StillUsed(Exception):
    """It cannot go while others use it; ``users`` are their names."""

    def __init__(self, users: Iterable[str]) -> None:
        self.users = tuple(users)
        super().__init__(f"It is used by {', '.join(self.users)}.")


def faults_of(component: Component, text: str) -> JsonFaults | None:
    """Return what keeps a definition from being saved, if anything does."""
    try:
        _read(component, text)
    except JsonFaults as error:
        return error
    return None


def create(component: Component, user: User) -> Component:
    """Keep a new component under a link name of its own, made from its name."""
    component.updated_by = user
    for _ in range(3):  # another one may take the link name between look and save
        try:
            with transaction.atomic():
                _hold_for(user, component.application)
                taken = component.application.components.values_list("link_name", flat=True)
                component.link_name = free_link_name(
                    component.name, set(taken), fallback=component.kind
                )
                definition = _read(component, component.definition)
                component.save(force_insert=True)
                _refer(component, definition)
                _record(AuditAction.COMPONENT_CREATED, component, user)
                return component
        except IntegrityError:
            continue
    raise ComponentConflict("Another component just took this name. Choose another one.")


def save(component: Component, user: User, *, version: int) -> Component:
    """Keep the changed name and definition of a component that was read at ``version``.

    Raise ``Faults`` for a definition that is wrong, with its lines, and
    :class:`ChangedMeanwhile` where another save came in between. Nothing is kept then.
    """
    with transaction.atomic():
        _hold_for(user, component.application)
        definition = _read(component, component.definition)
        rows = Component.objects.filter(pk=component.pk, version=version)
        if not rows.update(version=F("version") + 1):
            raise ComponentConflict(_who_changed(component))
        component.version = version + 1
        component.updated_by = user
        component.save()
        _refer(component, definition)
        _record(AuditAction.COMPONENT_SAVED, component, user, version=component.version)
    return component


def delete(component: Component, user: User) -> None:
    """Take a component out of Development; raise :class:`StillUsed` while others run it."""
    with transaction.atomic():
        _hold_for(user, component.application)
        if users := users_of(component):
            raise StillUsed(other.name for other in users)
        subject = Subject.of(component)
        component.delete()
        _record(AuditAction.COMPONENT_DELETED, component, user, subject)


def users_of(component: Component) -> list[Component]:
    """List the components that run this function."""
    if component.kind != ComponentKind.FUNCTION:
        return []
    others = component.application.components.exclude(kind=ComponentKind.FUNCTION)
    return [
        other
        for other in others.filter(definition__contains=component.link_name)
        if component.link_name in reach(read(other.definition)).functions
    ]


def _hold_for(user: User, application: Application) -> None:
    lock_application(application)
    authority.check_and_lock(user, application.organization, Action.MANAGE_COMPONENTS)


def _record(
    action: AuditAction,
    component: Component,
    user: User,
    subject: Subject | None = None,
    **details: Any,
) -> None:
    application = component.application
    record(
        action,
        application.organization_id,
        user,
        subject or component,
        application=application.name,
        link_name=component.link_name,
        kind=component.kind,
        **details,
    )


def _read(component: Component, text: str) -> ComponentDefinition:
    definition = parse(component.kind, text)
    application = component.application
    problems: list[Problem] = []
    if definition.calls:
        connections = application.connections.created()
        known = frozenset(connections.values_list("link_name", flat=True))
        problems += unknown(definition.calls, known, what="connection")
    if definition.uses:
        functions = application.components.filter(kind=ComponentKind.FUNCTION)
        known = frozenset(functions.values_list("link_name", flat=True))
        problems += unknown(definition.uses, known, what="function")
    refuse(text, problems)
    return definition


def _refer(component: Component, definition: ComponentDefinition) -> None:
    """Write down which connections the component calls now."""
    connections = component.application.connections.created().filter(
        link_name__in=definition.connections
    )
    component.references.exclude(connection__in=connections).delete()
    Reference.objects.bulk_create(
        [Reference(component=component, connection=connection) for connection in connections],
        ignore_conflicts=True,
    )


def _who_changed(component: Component) -> str:
    row = Component.objects.filter(pk=component.pk).select_related("updated_by").first()
    if row is None:
        return f"{component.name} was deleted meanwhile. Copy your text before you leave this page."
    who = row.updated_by or "Somebody"
    return (
        f"{who} has saved {row.name} since you opened it, so your text was not saved. Copy what "
        "you need, open the component again and put it in there."
    )
