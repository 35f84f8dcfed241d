"""Create an application, or change its name and launch URL.

Both functions raise ``NotAllowed`` if the person may not do it.
"""

from __future__ import annotations

from django.db import transaction

from console.accounts import authority
from console.accounts.models import User
from console.accounts.policy import Action
from console.applications.forms import ApplicationForm
from console.applications.locks import lock_application
from console.applications.models import Application
from console.audit.actions import AuditAction
from console.audit.log import record


def create(form: ApplicationForm, by: User) -> Application:
    """Save a new application; raise ``IntegrityError`` if its link name was just taken."""
    with transaction.atomic():
        organization = form.instance.organization
        authority.check_and_lock(by, organization, Action.CREATE_APPLICATIONS)
        application: Application = form.save()
        record(AuditAction.APPLICATION_CREATED, organization, by, application)
    return application


def change(form: ApplicationForm, by: User) -> Application:
    """Save a new name or launch URL; raise ``EditConflict`` if it changed since it was shown."""
    with transaction.atomic():
        before = lock_application(form.instance)
        authority.check_and_lock(by, before.organization, Action.CREATE_APPLICATIONS)
        form.raise_on_conflict(before)
        application: Application = form.save()
        if form.display_values(before) != form.display_values(application):
            record(
                AuditAction.APPLICATION_CHANGED,
                before.organization_id,
                by,
                application,
                fields=sorted(form.changed_data),
                was=before.name if before.name != application.name else None,
            )
    return application
