"""Applications are created by super admins, who say which developers may ship them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from django import forms
from django.contrib import admin
from django.http import HttpRequest

from console.accounts.models import Organization, User
from console.accounts.policy import GIVEN, Action
from console.administration.accounts import PolicyAdmin
from console.administration.recorded import Entry, RecordedAdmin
from console.applications.models import Application, Right
from console.audit.actions import AuditAction
from console.audit.log import AuditEntry, Subject


class RightForm(forms.ModelForm):
    """One developer's rights; whose they are is said once."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():  # a table has no labels of its own
            field.widget.attrs["aria-label"] = field.label
        person = cast(forms.ModelChoiceField, self.fields["user"])
        if self.instance.pk:
            person.disabled = True
            # He may be no developer any more: what he has can be taken all the same.
            person.queryset = User.objects.filter(pk=self.instance.user_id)


class RightInline(admin.TabularInline):
    """What each developer may do with the application; super admins may do all of it."""

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
        action = ApplicationAdmin.action
        if request.user.is_superuser:
            return True
        # Django asks without the row, too, and then narrows to what stands on its page.
        return obj.allows(request.user, action) if obj else request.user.may(action)

    has_add_permission = has_view_permission = _is_allowed
    has_change_permission = has_delete_permission = _is_allowed


@admin.register(Application)
class ApplicationAdmin(RecordedAdmin, PolicyAdmin):
    action = Action.CREATE_APPLICATIONS
    list_display = ["name", "link_name", "organization", "created_at"]
    search_fields = ["name", "link_name"]
    prepopulated_fields = {}

    def get_readonly_fields(self, request: HttpRequest, obj: Application | None = None):
        """Keep what programs and addresses use."""
        return ["link_name", "organization"] if obj else []

    def get_inlines(self, request: HttpRequest, obj: Application | None = None) -> list[Any]:
        """Give rights in what is there: before, it is open whose developers are meant."""
        return [RightInline] if obj else []

    def entries_of_formset(self, formset: Any) -> list[Entry]:
        """Tell of rights by what was given and what was taken."""
        return [entry for form in formset.forms for entry in _of_right(form, formset)]


def _developers(organization: Organization) -> Any:
    """Return the people who can use a right in what the organization builds."""
    roles = {role for given in GIVEN.values() for role in given}
    return User.objects.filter(
        is_active=True,
        memberships__organization=organization,
        memberships__role__in=roles,
        memberships__deactivated_at=None,
    ).order_by("email")


def _of_right(form: Any, formset: Any) -> Iterator[Entry]:
    right: Right = form.instance
    kept = {} if form in formset.deleted_forms else form.cleaned_data
    had = {field for field in Right.FIELDS.values() if form.initial.get(field)}
    has = {field for field in Right.FIELDS.values() if kept.get(field)}
    for act, fields in ((AuditAction.RIGHT_GIVEN, has - had), (AuditAction.RIGHT_TAKEN, had - has)):
        if fields:
            rights = [f.removeprefix("may_") for f in Right.FIELDS.values() if f in fields]
            # Known by the person, as memberships are: a deleted row has no key.
            subject = Subject(type="right", id=str(right.user_id), label=right.user.email)
            details = {"application": right.application.name, "rights": rights}
            happening = AuditEntry(action=act, subject=subject, details=details)
            yield right.application.organization_id, happening
