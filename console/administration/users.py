"""Accounts in Administration, for operators."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable
from typing import Any, cast

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.forms import BaseModelForm
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.decorators import method_decorator

from console.accounts.forms import ChangeUserForm, NewUserForm
from console.accounts.http import SeeOther
from console.accounts.last_super_admin import LastSuperAdmin, preserve_super_admins
from console.accounts.models import Membership, User
from console.administration.audit_mixin import AuditMixin, Entry, entries_of, record_entries
from console.administration.policy_admin import OperatorRowsMixin
from console.audit.actions import AuditAction
from console.audit.log import AuditEntry, Subject, homes
from console.people import memberships
from console.people.impact import affected_authorizations
from console.signing_in import email_changes
from console.signing_in.operator_notices import changed_by_operator
from console.signing_in.reauthentication import ReauthenticationMixin, reauthentication_required
from console.signing_in.unit_of_work import unit_of_work


class MembershipInline(admin.TabularInline):
    model = Membership
    extra = 1
    autocomplete_fields = ["organization"]


class UserAdmin(OperatorRowsMixin, ReauthenticationMixin, AuditMixin, DjangoUserAdmin):
    """Accounts and their memberships, for operators.

    Deleting an account, or removing it from an organization, revokes what the person authorized.
    """

    form = ChangeUserForm
    add_form = NewUserForm
    delete_confirmation_template = "admin/people/delete_user.html"
    ordering = ["email"]
    list_display = ["email", "first_name", "last_name", "is_active", "is_superuser"]
    list_filter = ["is_active", "is_superuser"]
    search_fields = ["email", "first_name", "last_name"]
    filter_horizontal = []
    inlines = [MembershipInline]
    fieldsets = [
        (None, {"fields": ["email", "password"]}),
        ("Name", {"fields": ["first_name", "last_name"]}),
        ("Access", {"fields": ["is_active", "is_superuser"]}),
    ]
    add_fieldsets = [
        (
            None,
            {"classes": ["wide"], "fields": ["email", "usable_password", "password1", "password2"]},
        )
    ]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Keep operators from changing their own address: nobody vouches for themselves."""
        return ["email"] if obj and obj.pk == request.user.pk else []

    @method_decorator(unit_of_work)
    @method_decorator(reauthentication_required)
    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> Any:
        """Set another password for a person, record it, and notify them."""
        before = self.get_object(request, unquote(id))
        response = super().user_change_password(request, id, form_url)
        after = self.get_object(request, unquote(id))
        if before and after and before.password != after.password:
            record_entries(request.user, entries_of(after, "password_changed", homes(after)))
            changed_by_operator(request, after, "set another password for your account")
        return response

    @method_decorator(unit_of_work)
    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, *args: Any, **kwargs: Any
    ) -> Any:
        def change() -> Any:
            return super(UserAdmin, self).changeform_view(request, object_id, *args, **kwargs)

        user = self.get_object(request, unquote(object_id)) if object_id else None
        if request.method != "POST" or user is None:
            return change()
        return self._preserving_super_admins(request, [user], change)

    def delete_view(
        self,
        request: HttpRequest,
        object_id: str,
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        user = self.get_object(request, unquote(object_id))
        context = {
            "affected": affected_authorizations(user, reader=cast(User, request.user))
            if user
            else []
        }

        def delete() -> Any:
            return super(UserAdmin, self).delete_view(request, object_id, context)

        return self._preserving_super_admins(request, [user], delete) if user else delete()

    def response_action(
        self, request: HttpRequest, queryset: Any, *args: Any, **kwargs: Any
    ) -> Any:
        selected = queryset
        if request.POST.get("select_across") != "1":
            selected = queryset.filter(pk__in=request.POST.getlist("_selected_action"))

        def act() -> Any:
            return super(UserAdmin, self).response_action(request, queryset, *args, **kwargs)

        return self._preserving_super_admins(request, selected, act)

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """Confirm the address that the operator entered and remove all others of the account."""
        super().save_model(request, obj, form, change)
        if not change or "email" in form.changed_data:
            email_changes.replace_all(obj)
        if change and "email" in form.changed_data:
            before = form.initial["email"]
            words = f"changed the address of your account from {before} to {obj.email}"
            changed_by_operator(request, obj, words, before)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Revoke what the person authorized in organizations they leave, then save the rest."""
        by = cast(User, request.user)
        left = [row for formset in formsets for row in _memberships_left(formset)]
        revoked = [entry for row in left for entry in memberships.revoke_authorizations_in(row, by)]
        super().save_related(request, form, formsets, change)
        record_entries(by, revoked)

    def logs_of(self, row: User) -> list[uuid.UUID | None]:
        return homes(row)

    def entries_of_formset(self, formset: Any) -> list[Entry]:
        """Return the entries for the memberships on the page."""
        forms: dict[int, BaseModelForm] = {id(form.instance): form for form in formset.forms}
        entries = []
        for row in formset.new_objects:
            entries += _membership_entries(row, "created")
        for row, _ in formset.changed_objects:
            entries += _membership_entries(row, "changed", forms[id(row)].initial)
        for row in formset.deleted_objects:
            entries += _membership_entries(row, "deleted")
        return entries

    def entries_of_deleted(self, row: User, by: User) -> list[Entry]:
        """Revoke what the person authorized, and return that with the deletion."""
        User.objects.select_for_update().get(pk=row.pk)
        return [
            *super().entries_of_deleted(row, by),
            *memberships.revoke_all_authorizations(row, by),
        ]

    def _preserving_super_admins(
        self, request: HttpRequest, people: Iterable[User], act: Callable[[], Any]
    ) -> HttpResponseBase:
        try:
            with preserve_super_admins(memberships.organizations_of(people)):
                return act()
        except LastSuperAdmin as error:
            messages.error(request, str(error))
            return SeeOther(request.get_full_path())


def _memberships_left(formset: Any) -> list[Membership]:
    """Return the memberships that the form deletes or moves to another organization."""
    left = [form.instance for form in formset.deleted_forms]
    for form in formset.forms:
        before = form.initial.get("organization")
        if before and "organization" in form.changed_data and form not in formset.deleted_forms:
            left.append(Membership.objects.get(pk=form.instance.pk))
    return [row for row in left if row.pk]


def _membership_entries(row: Membership, verb: str, before: Any = None) -> list[Entry]:
    # The person's key, as in their other events: a deleted membership has no key.
    subject = Subject(type="membership", id=str(row.user_id), label=row.user.email)
    details = {"role": row.role}
    logs = [row.organization_id]
    if before and before.get("role") != row.role:
        details["was"] = before["role"]
    if before and before.get("organization") not in (None, row.organization_id):
        logs.append(before["organization"])  # moved: both organizations record it
    action = AuditAction(f"membership.{verb}")
    entry = AuditEntry(action=action, subject=subject, details=details)
    return [(log, entry) for log in logs]
