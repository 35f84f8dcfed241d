"""Organizations in Administration."""

from __future__ import annotations

import uuid
from typing import Any

from django.http import HttpRequest

from console.accounts.models import Organization
from console.accounts.policy import Action
from console.administration.audit_mixin import AuditMixin, Entry, entries_of
from console.administration.policy_admin import PolicyAdmin
from console.signing_in.reauthentication import ReauthenticationMixin


class OrganizationAdmin(ReauthenticationMixin, AuditMixin, PolicyAdmin):
    """Organizations; super admins may only rename their own."""

    action = Action.MANAGE_PEOPLE
    organization = "pk"
    list_display = ["name", "slug", "created_at"]
    search_fields = ["name"]
    prepopulated_fields = {"slug": ["name"]}

    def organization_of(self, obj: Organization) -> Any:
        return obj.pk

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.is_superuser

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.is_superuser

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Keep the slug: it is part of redirect URIs that are registered at services."""
        return ["slug"] if obj else []

    def get_prepopulated_fields(self, request: HttpRequest, obj: Any = None) -> dict[str, Any]:
        return {} if obj else self.prepopulated_fields

    def logs_of(self, row: Organization) -> list[uuid.UUID | None]:
        return [row.pk]

    def entries_of_deleted(self, row: Organization, by: Any) -> list[Entry]:
        """Record the deletion in the deployment's log: nobody can read the organization's."""
        return entries_of(row, "deleted", [None])
