"""Export an application as a JSON file that another console can import."""

from __future__ import annotations

import json

from django.db import transaction

from console.accounts.models import User
from console.applications.models import Application
from console.audit.actions import AuditAction
from console.audit.log import record
from console.publishing.manifest import development_manifest

FORMAT = "developer-console/application"
#: The version of the file format that this console writes (``schemas/application.json``).
SCHEMA = 1


def export(application: Application) -> str:
    """Return the Development version of an application as JSON; the output is deterministic.

    Connections are included even if no component references them; drafts are not. A manifest
    holds neither authorizations nor secrets.
    """
    document = development_manifest(application).as_document()
    return (
        json.dumps({"format": FORMAT, "schema": SCHEMA, **document}, indent=2, ensure_ascii=False)
        + "\n"
    )


def export_and_record(application: Application, by: User | None) -> str:
    """Export an application and record who did it; ``by`` is None for the command line."""
    with transaction.atomic():
        text = export(application)
        record(
            AuditAction.APPLICATION_EXPORTED,
            application.organization_id,
            by,
            application,
            link_name=application.link_name,
        )
    return text
