"""An application as a file: all that it is made of, and nothing that only this console knows."""

from __future__ import annotations

import json

from django.db import transaction

from console.accounts.models import User
from console.applications.models import Application
from console.audit.actions import AuditAction
from console.audit.log import record
from console.publishing.manifest import development_manifest

FORMAT = "developer-console/application"
#: The newest form of the file that this console knows (``schemas/application.json``).
SCHEMA = 1


def export(application: Application) -> str:
    """Write what is in Development; the same application gives the same bytes.

    Connections that no component references go along, drafts do not. Authorizations and
    secrets are no part of a manifest.
    """
    document = development_manifest(application).as_document()
    return (
        json.dumps({"format": FORMAT, "schema": SCHEMA, **document}, indent=2, ensure_ascii=False)
        + "\n"
    )


def export_and_record(application: Application, by: User | None) -> str:
    """Export and record to whom; at the command line it is nobody that the console knows."""
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
