"""Create an upload that waits to be imported."""

from __future__ import annotations

from typing import Any

from console.accounts.models import Organization, User
from console.transfer.models import Upload
from tests.transfer.files import document, text_of


def waiting(user: User, organization: Organization, **changes: Any) -> Upload:
    return Upload.objects.create(
        user=user,
        organization=organization,
        file_name="repairs.json",
        text=text_of(document(**changes)),
    )
