"""Lock an application while what it is made of changes."""

from __future__ import annotations

from console.applications.models import Application


def lock_application(application: Application) -> Application:
    """Lock the application's row until the transaction ends, and return it as it is now.

    Everything that changes what references what takes this lock: a connection cannot be deleted
    while a component that begins to use it is being saved.
    """
    return Application.objects.select_for_update().get(pk=application.pk)
