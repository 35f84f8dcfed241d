"""Import an application from a file: validate, plan and create it, all or nothing."""

from __future__ import annotations

from django.db import IntegrityError, transaction

from connections.models import Connection
from console.accounts import authority
from console.accounts.models import Organization, User
from console.accounts.policy import Action
from console.applications.models import Application
from console.audit.actions import AuditAction
from console.audit.log import record
from console.components import json_source
from console.components.definitions import dumps
from console.components.json_source import JsonFault, JsonFaults
from console.components.models import Component, Reference
from console.names import normalized
from console.publishing.manifest import Manifest
from console.transfer.import_plan import Plan, plan
from console.transfer.validation import problems

MAX_BYTES = 10 * 1024 * 1024


class NameConflict(Exception):
    """Other requests kept taking the names that this import had chosen."""


def decode(data: str | bytes) -> str:
    """Decode a file; raise :class:`JsonFaults` if it is too large or not UTF-8."""
    if isinstance(data, str):
        data = data.encode("utf-8", "surrogatepass")
    if len(data) > MAX_BYTES:
        words = "The file is larger than 10 MB (10,485,760 bytes)."
        raise JsonFaults([JsonFault(line=1, column=1, message=words)])
    try:
        return data.decode("utf-8-sig")  # some editors put a byte order mark before the text
    except UnicodeDecodeError as error:
        before = data[: error.start]
        words = "The file is not UTF-8 text. Save it with UTF-8 encoding, and choose it again."
        line = data[before.rfind(b"\n") + 1 : error.start].decode()
        raise JsonFaults(
            [JsonFault(line=before.count(b"\n") + 1, column=len(line) + 1, message=words)]
        ) from None


def read(data: str | bytes) -> Manifest:
    """Parse and validate a file; raise :class:`JsonFaults` with its first faults, by line."""
    text = decode(data)
    document = json_source.read(text)
    json_source.refuse(text, problems(document), counting=False)
    for item in (document["application"], *document["connections"], *document["components"]):
        item["name"] = normalized(item["name"])
    return Manifest.from_document(document)


def import_application(
    manifest: Manifest | str | bytes, organization: Organization, user: User
) -> Application:
    """Create an application from a file, under names that are free at that moment.

    Raise :class:`JsonFaults` for an invalid file, :class:`NameConflict` if three attempts failed
    because others took the names, or :class:`~console.accounts.authority.NotAllowed` if the
    person may not create applications; nothing is created then. Nobody gets rights in the new
    application.
    """
    if not isinstance(manifest, Manifest):
        manifest = read(manifest)
    for _ in range(3):  # Administration creates applications without this lock
        try:
            with transaction.atomic():
                # A concurrent import waits here, and then sees the names of this one as taken.
                locked = Organization.objects.select_for_update(no_key=True).get(pk=organization.pk)
                authority.check_and_lock(user, locked, Action.CREATE_APPLICATIONS)
                return _create(plan(manifest, locked), locked, user)
        except IntegrityError:
            continue
    raise NameConflict(
        f"Other people are creating applications with the same name in {organization}. Nothing "
        "was imported. Try again."
    )


def _create(planned: Plan, organization: Organization, user: User) -> Application:
    application = Application.objects.create(
        organization=organization, name=planned.name, link_name=planned.link_name
    )
    connections = {
        snapshot.link_name: Connection(
            **{name: getattr(snapshot, name) for name in snapshot.FIELDS},
            connector_slug=snapshot.connector,
            scopes=list(snapshot.scopes),
            parameters=dict(snapshot.parameters),
            application=application,
            status=Connection.Status.CREATED,
            created_by=user,
            owner=user,
        )
        for snapshot in (each.snapshot for each in planned.connections)
    }
    components = [
        Component(
            application=application,
            kind=part.kind,
            name=part.name,
            link_name=part.link_name,
            definition=dumps(part.definition),
            updated_by=user,
        )
        for part in planned.components
    ]
    Connection.objects.bulk_create(connections.values())
    Component.objects.bulk_create(components)
    Reference.objects.bulk_create(
        Reference(component=component, connection=connections[name])
        for component, part in zip(components, planned.components, strict=True)
        for name in part.reached.connections
    )
    record(
        AuditAction.APPLICATION_IMPORTED,
        organization,
        user,
        application,
        link_name=application.link_name,
        components=len(components),
        connections=list(connections),
    )
    return application
