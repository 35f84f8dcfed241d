"""People and organizations, managed by whoever runs the deployment."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.http import HttpRequest
from django.utils.decorators import method_decorator

from console.accounts.forms import ChangeUserForm, NewUserForm
from console.accounts.models import Membership, Organization, User
from console.accounts.policy import Action
from console.signing_in.reauthentication import PasswordAgainMixin, password_again

# Roles are memberships here.
admin.site.unregister(Group)


class PolicyAdmin(admin.ModelAdmin):
    """An admin page that a role opens, narrowed to the person's own organizations.

    The operator of the deployment sees every row. ``organization`` is the lookup from the
    model to its organization; without an ``action`` the page is the operator's alone.
    """

    action: Action | None = None
    organization = "organization"

    def get_queryset(self, request: HttpRequest) -> Any:
        rows = super().get_queryset(request)
        if request.user.is_superuser or self.action is None:
            return rows
        own = Organization.objects.allowing(request.user, self.action)
        return rows.filter(**{f"{self.organization}__in": own})

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)
        if db_field.name == self.organization and not request.user.is_superuser and self.action:
            field.queryset = Organization.objects.allowing(request.user, self.action)
            field.required = True
            field.empty_label = None
        return field

    def _is_allowed(self, request: HttpRequest, obj: Any = None) -> bool:
        if request.user.is_superuser:
            return True
        if self.action is None or not request.user.may(self.action):
            return False
        own = Organization.objects.allowing(request.user, self.action)
        return obj is None or own.filter(pk=self.organization_of(obj)).exists()

    def get_view_on_site_url(self, obj: Any = None) -> str | None:
        """Link to a row's page itself: the admin site has no shortcut (``ConsoleAdminSite``)."""
        return obj.get_absolute_url() if hasattr(obj, "get_absolute_url") else None

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


class OperatorRowsMixin:
    """An admin page of the operator, whose rows do not exist for anybody else.

    Django tells who may not see a row from its absence on the page of its history.
    """

    def get_queryset(self, request: HttpRequest) -> Any:
        rows = super().get_queryset(request)  # type: ignore[misc]
        return rows if request.user.is_superuser else rows.none()


class MembershipInline(admin.TabularInline):
    model = Membership
    extra = 1
    autocomplete_fields = ["organization"]


@admin.register(User)
class UserAdmin(OperatorRowsMixin, PasswordAgainMixin, DjangoUserAdmin):
    form = ChangeUserForm
    add_form = NewUserForm
    ordering = ["email"]
    list_display = ["email", "first_name", "last_name", "is_active", "is_superuser"]
    list_filter = ["is_active", "is_superuser"]
    search_fields = ["email", "first_name", "last_name"]
    filter_horizontal = []
    inlines = [MembershipInline]
    fieldsets = [
        (None, {"fields": ["email", "password"]}),
        ("Who", {"fields": ["first_name", "last_name"]}),
        ("Access", {"fields": ["is_active", "is_superuser"]}),
    ]
    add_fieldsets = [
        (
            None,
            {"classes": ["wide"], "fields": ["email", "usable_password", "password1", "password2"]},
        )
    ]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Keep one's own address: nobody vouches for that themselves."""
        return ["email"] if obj and obj.pk == request.user.pk else []

    @method_decorator(password_again)
    def user_change_password(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        return super().user_change_password(request, *args, **kwargs)


@admin.register(Organization)
class OrganizationAdmin(PasswordAgainMixin, PolicyAdmin):
    """Organizations; a super admin may give his own another name, and that is all."""

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
        """Keep the slug: redirect URIs that are registered at services hold it."""
        return ["slug"] if obj else []

    def get_prepopulated_fields(self, request: HttpRequest, obj: Any = None) -> dict:
        return {} if obj else self.prepopulated_fields
