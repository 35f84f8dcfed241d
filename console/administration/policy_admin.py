"""Permissions of admin pages: which rows super admins and operators may see and change."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.forms import Media
from django.http import HttpRequest
from django.utils.text import capfirst

from console.accounts.models import Organization
from console.accounts.policy import Action

#: The scripts that a list needs. Django would also load jQuery and what its forms need.
LIST_SCRIPTS = Media(js=["admin/js/core.js", "admin/js/actions.js"])


class PolicyAdmin(admin.ModelAdmin):
    """An admin page whose rows are limited to the person's own organizations.

    The operator of the deployment sees every row. ``action`` is the permission that opens the
    page; without one, only the operator may open it. ``organization`` is the lookup from the
    model to its organization.
    """

    action: Action | None = None
    organization = "organization"

    def get_queryset(self, request: HttpRequest) -> Any:
        rows = super().get_queryset(request)
        if request.user.is_superuser or self.action is None:
            return rows
        own = Organization.objects.allowing(request.user, self.action)
        return rows.filter(**{f"{self.organization}__in": own})

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> Any:
        """Name the page by what it lists, in place of Django's "Select … to change"."""
        context = {"title": capfirst(self.opts.verbose_name_plural), "media": LIST_SCRIPTS}
        return super().changelist_view(request, context | (extra_context or {}))

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field: Any = super().formfield_for_foreignkey(db_field, request, **kwargs)
        if db_field.name == self.organization and not request.user.is_superuser and self.action:
            field.queryset = Organization.objects.allowing(request.user, self.action)
            field.required = True
            if field.queryset.count() == 1:
                field.empty_label = None  # nothing to choose
        return field

    def get_view_on_site_url(self, obj: Any = None) -> str | None:
        """Link to the row's own page, without Django's redirect (see ``ConsoleAdminSite``)."""
        return obj.get_absolute_url() if hasattr(obj, "get_absolute_url") else None

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any
    ) -> Any:
        """Leave out the link to the row's own page for people who may not open that."""
        response: Any = super().render_change_form(request, context, *args, **kwargs)
        obj = kwargs.get("obj")
        member_of = {m.organization_id for m in getattr(request, "memberships", ())}
        if obj is not None and self.organization_of(obj) not in member_of:
            response.context_data["has_absolute_url"] = False
        return response

    def organization_of(self, obj: Any) -> Any:
        """Return the key of a row's organization."""
        return getattr(obj, f"{self.organization}_id")

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self._is_allowed(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self._is_allowed(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._is_allowed(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._is_allowed(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._is_allowed(request, obj)

    def _is_allowed(self, request: HttpRequest, obj: Any = None) -> bool:
        user: Any = request.user
        if user.is_superuser:
            return True
        if self.action is None or not user.may(self.action):
            return False
        own = Organization.objects.allowing(user, self.action)
        return obj is None or own.filter(pk=self.organization_of(obj)).exists()


class OperatorRowsMixin(admin.ModelAdmin):
    """An admin page that has no rows for anyone but the operator.

    Permissions are not enough: for a row that people may not see, Django's history page
    answers 403, and 404 if the row does not exist. So its existence would be visible.
    """

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request)
        return rows if request.user.is_superuser else rows.none()
