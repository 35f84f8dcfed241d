"""Installations in Administration, read-only: the console's own pages change them."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from console.accounts.policy import Action
from console.administration.policy_admin import PolicyAdmin
from console.publishing.models import Installation


class InstallationAdmin(PolicyAdmin):
    """Which application is installed in which organization, at which release, until when."""

    action = Action.MANAGE_INSTALLATIONS
    list_display = ["application", "built_by", "organization", "release", "installed_at", "ends_at"]
    search_fields = ["application__name", "organization__name"]
    list_select_related = ["application__organization", "organization", "release"]

    @admin.display(ordering="application__organization__name")
    def built_by(self, installation: Installation) -> str:
        return installation.application.organization.name

    def get_list_filter(self, request: HttpRequest) -> Any:
        """Filter by organization only for operators: the filter lists all organizations."""
        return ["organization"] if request.user.is_superuser else []

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
