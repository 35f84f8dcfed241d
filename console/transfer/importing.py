"""From a file to an application: read it, plan it, make it as a whole or not at all."""

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
    """Others made applications of the same name while this one was being made."""


def decode(data: str | bytes) -> str:
    """Return a file's text; raise ``Faults`` where it is too large or not UTF-8."""
    if isinstance(data, str):
        data = data.encode("utf-8", "surrogatepass")
    if len(data) > MAX_BYTES:
        words = "A file may have at most 10 MB (10,485,760 bytes), and this one has more."
        raise JsonFaults([JsonFault(line=1, column=1, message=words)])
    try:
        return data.decode("utf-8-sig")  # some editors put a byte order mark before the text
    except UnicodeDecodeError as error:
        before = data[: error.start]
        words = "This is not a text in UTF-8. Save the file in that encoding, and choose it again."
        line = data[before.rfind(b"\n") + 1 : error.start].decode()
        raise JsonFaults(
            [JsonFault(line=before.count(b"\n") + 1, column=len(line) + 1, message=words)]
        ) from None


def read(data: str | bytes) -> Manifest:
    """Read a file; raise ``Faults`` with the first things wrong in it, sorted by line."""
    text = decode(data)
    document = json_source.read(text)
    json_source.refuse(text, problems(document), counting=False)
    for item in (document["application"], *document["connections"], *document["components"]):
        item["name"] = normalized(item["name"])
    return Manifest.from_document(document)


def import_application(
    manifest: Manifest | str | bytes, organization: Organization, user: User
) -> Application:
    """Make an application of a file, under names that are free when it is made.

    Raise ``Faults`` for a file that cannot be taken and :class:`NameConflict` where
    somebody else was faster three times, or :class:`~console.accounts.authority.NotAllowed`
    where the person may not create applications (any more); nothing is made then. Nobody is
    given a right in it.
    """
    if not isinstance(manifest, Manifest):
        manifest = read(manifest)
    for _ in range(3):  # Administration makes applications, too, and holds nothing
        try:
            with transaction.atomic():
                # Whoever imports at the same time waits here, and then finds these names taken.
                held = Organization.objects.select_for_update(no_key=True).get(pk=organization.pk)
                authority.hold(user, held, Action.CREATE_APPLICATIONS)
                return _make(plan(manifest, held), held, user)
        except IntegrityError:
            continue
    raise NameConflict(
        f"Others are making applications of the same name in {organization} just now. Nothing "
        "was imported. Try again."
    )


def _make(planned: Plan, organization: Organization, user: User) -> Application:
    application = Application.objects.create(
        organization=organization, name=planned.name, link_name=planned.link_name
    )
    connections = {
        standing.link_name: Connection(
            **{name: getattr(standing, name) for name in standing.FIELDS},
            connector_slug=standing.connector,
            scopes=list(standing.scopes),
            parameters=dict(standing.parameters),
            application=application,
            status=Connection.Status.CREATED,
            created_by=user,
        )
        for standing in (each.standing for each in planned.connections)
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
