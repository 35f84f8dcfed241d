"""Row lock of an application, taken while its components and connections change."""

from __future__ import annotations

from console.applications.models import Application


def lock_application(application: Application) -> Application:
    """Lock the application's row until the end of the transaction and return the current row.

    Everything that changes references takes this lock, so a connection cannot be deleted while a
    component that starts to use it is being saved.
    """
    return Application.objects.select_for_update().get(pk=application.pk)
