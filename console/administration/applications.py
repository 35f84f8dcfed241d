"""Applications in Administration, with the rights of developers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from django import forms
from django.contrib import admin
from django.http import HttpRequest

from console.accounts.models import Organization, User
from console.accounts.policy import NEEDS_RIGHT, Action
from console.administration.audit_mixin import AuditMixin, Entry
from console.administration.policy_admin import PolicyAdmin
from console.applications.models import Application, Right
from console.people.application_rights import right_entries


class RightForm(forms.ModelForm):
    """One developer's rights in an application; the developer is chosen only once."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():  # the table has no visible labels
            field.widget.attrs["aria-label"] = field.label
        person = cast(forms.ModelChoiceField, self.fields["user"])
        if self.instance.pk:
            person.disabled = True
            # People who are no longer developers can still have rights to take away.
            person.queryset = User.objects.filter(pk=self.instance.user_id)


class RightInline(admin.TabularInline):
    """The rights of each developer in the application; super admins need none."""

    model = Right
    form = RightForm
    extra = 0
    verbose_name_plural = "rights of developers"

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        """Offer the developers of the application's organization."""
        formset = super().get_formset(request, obj, **kwargs)
        field = cast(forms.ModelChoiceField, formset.form.base_fields["user"])
        field.queryset = _developers(obj.organization)
        for link in ("add", "change", "delete", "view"):
            setattr(field.widget, f"can_{link}_related", False)
        return formset

    def _is_allowed(self, request: HttpRequest, obj: Any = None) -> bool:
        action, user = ApplicationAdmin.action, cast(User, request.user)
        if user.is_superuser:
            return True
        # Django also asks without a row, to decide whether to show the inline at all.
        return obj.allows(user, action) if obj else user.may(action)

    has_add_permission = has_view_permission = _is_allowed
    has_change_permission = has_delete_permission = _is_allowed


class ApplicationAdmin(AuditMixin, PolicyAdmin):
    """Applications, which super admins create; developers get rights here to ship them."""

    action = Action.CREATE_APPLICATIONS
    list_display = ["name", "link_name", "organization", "created_at"]
    search_fields = ["name", "link_name"]
    prepopulated_fields = {}

    def get_readonly_fields(
        self, request: HttpRequest, obj: Application | None = None
    ) -> list[str]:
        """Keep the link name and organization, which programs and URLs use."""
        return ["link_name", "organization"] if obj else []

    def get_inlines(self, request: HttpRequest, obj: Application | None = None) -> list[Any]:
        """Offer rights once the application exists and so has an organization with developers."""
        return [RightInline] if obj else []

    def entries_of_formset(self, formset: Any) -> list[Entry]:
        """Record which rights were given and which were taken away."""
        return [entry for form in formset.forms for entry in _right_entries(form, formset)]


def _developers(organization: Organization) -> Any:
    """Return the people whose role can have rights in the organization's applications."""
    roles = {role for given in NEEDS_RIGHT.values() for role in given}
    return User.objects.filter(
        is_active=True,
        memberships__organization=organization,
        memberships__role__in=roles,
        memberships__deactivated_at=None,
    ).order_by("email")


def _right_entries(form: Any, formset: Any) -> Iterator[Entry]:
    right: Right = form.instance
    kept = {} if form in formset.deleted_forms else form.cleaned_data
    had = {field for field in Right.FIELDS.values() if form.initial.get(field)}
    has = {field for field in Right.FIELDS.values() if kept.get(field)}
    for entry in right_entries(right.user, right.application, had, has):
        yield right.application.organization_id, entry
