"""Create, save and delete components, and update their references to connections.

Every function locks the application's row, so a connection cannot be deleted while a component
that starts to use it is being saved. They raise
:class:`~console.accounts.authority.NotAllowed` if the person may not build the application.
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
    """Somebody else has saved or deleted the component, or has taken its name."""


class StillUsed(Exception):
    """The component cannot be deleted while other components use it."""

    def __init__(self, users: Iterable[str]) -> None:
        super().__init__(f"It is used by {', '.join(users)}.")


def faults_of(component: Component, text: str) -> JsonFaults | None:
    """Return the errors that prevent a definition from being saved, or None."""
    try:
        _read(component, text)
    except JsonFaults as error:
        return error
    return None


def create(component: Component, user: User) -> Component:
    """Save a new component with a unique link name made from its name."""
    component.updated_by = user
    for _ in range(3):  # another component may take the link name between the query and the save
        try:
            with transaction.atomic():
                _lock(user, component.application)
                taken = component.application.components.values_list("link_name", flat=True)
                component.link_name = free_link_name(
                    component.name, set(taken), fallback=component.kind
                )
                definition = _read(component, component.definition)
                component.save(force_insert=True)
                _update_references(component, definition)
                _record(AuditAction.COMPONENT_CREATED, component, user)
                return component
        except IntegrityError:
            continue
    raise ComponentConflict("Another component just took this name. Choose another one.")


def save(component: Component, user: User, *, version: int) -> Component:
    """Save the name and definition of a component that the person edited at ``version``.

    Raise :class:`JsonFaults` for an invalid definition, and :class:`ComponentConflict` if somebody
    else has saved it since. Nothing is saved then.
    """
    with transaction.atomic():
        _lock(user, component.application)
        definition = _read(component, component.definition)
        rows = Component.objects.filter(pk=component.pk, version=version)
        if not rows.update(version=F("version") + 1):
            raise ComponentConflict(_conflict_sentence(component))
        component.version = version + 1
        component.updated_by = user
        component.save()
        _update_references(component, definition)
        _record(AuditAction.COMPONENT_SAVED, component, user, version=component.version)
    return component


def delete(component: Component, user: User) -> None:
    """Delete a component from Development; raise :class:`StillUsed` if others run it."""
    with transaction.atomic():
        _lock(user, component.application)
        if users := users_of(component):
            raise StillUsed(other.name for other in users)
        subject = Subject.of(component)
        component.delete()
        _record(AuditAction.COMPONENT_DELETED, component, user, subject)


def users_of(component: Component) -> list[Component]:
    """Return the components that run this function."""
    if component.kind != ComponentKind.FUNCTION:
        return []
    others = component.application.components.exclude(kind=ComponentKind.FUNCTION)
    return [
        other
        for other in others.filter(definition__contains=component.link_name)
        if component.link_name in reach(read(other.definition)).functions
    ]


def _lock(user: User, application: Application) -> None:
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


def _update_references(component: Component, definition: ComponentDefinition) -> None:
    """Update the references to the connections that the component calls."""
    connections = component.application.connections.created().filter(
        link_name__in=definition.connections
    )
    component.references.exclude(connection__in=connections).delete()
    Reference.objects.bulk_create(
        [Reference(component=component, connection=connection) for connection in connections],
        ignore_conflicts=True,
    )


def _conflict_sentence(component: Component) -> str:
    row = Component.objects.filter(pk=component.pk).select_related("updated_by").first()
    if row is None:
        return f"{component.name} has been deleted. Copy your text before you leave this page."
    who = row.updated_by or "Somebody"
    return (
        f"{who} has saved {row.name} since you opened it, so your text was not saved. Copy what "
        "you need, open the component again and paste it there."
    )
