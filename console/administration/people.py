"""People in Administration: their roles, and who is let in no more."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, cast

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.decorators import method_decorator

from console.accounts.http import SeeOther
from console.accounts.last_super_admin import LastSuperAdmin, keeping_super_admins
from console.accounts.models import Membership, User
from console.accounts.policy import Action
from console.administration.accounts import PolicyAdmin
from console.administration.recorded import Entry, RecordedUserAdmin, record_entries
from console.people import memberships
from console.people.impact import stops
from console.signing_in import email_changes
from console.signing_in.operator_notices import changed_by_operator
from console.signing_in.reauthentication import PasswordAgainMixin, password_again
from console.signing_in.unit_of_work import unit_of_work

#: What is done on the page that says first what comes of it.
VERBS: dict[str, Callable[[Membership, User], None]] = {
    "deactivate": memberships.deactivate,
    "reactivate": memberships.reactivate,
    "remove": memberships.remove,
}
DONE = {
    "deactivate": "From now on {user} is not let into {organization}.",
    "reactivate": "From now on {user} is let into {organization} again.",
    "remove": "From now on {user} does not belong to {organization}.",
}


class PersonStatusFilter(admin.SimpleListFilter):
    title = "status"
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("active", "Active"), ("deactivated", "Deactivated")]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        if self.value() == "active":
            return queryset.filter(deactivated_at=None)
        return queryset.exclude(deactivated_at=None) if self.value() else queryset


@admin.register(Membership)
class MembershipAdmin(PasswordAgainMixin, PolicyAdmin):
    """The people of one's own organizations; who comes is invited, not typed in here."""

    action = Action.MANAGE_PEOPLE
    list_display = ["person", "role", "organization", "status", "last_sign_in"]
    list_filter = [
        "role",
        PersonStatusFilter,
        ("organization", admin.RelatedOnlyFieldListFilter),
    ]
    list_select_related = ["user", "organization"]
    search_fields = ["user__email", "user__first_name", "user__last_name"]
    ordering = ["user__email", "organization__name"]
    fields = ["person", "name", "organization", "role", "status", "last_sign_in"]
    readonly_fields = ["person", "name", "organization", "status", "last_sign_in"]
    actions = None

    @admin.display(description="Person", ordering="user__email")
    def person(self, membership: Membership) -> str:
        return membership.user.email

    @admin.display(description="Name")
    def name(self, membership: Membership) -> str:
        return membership.user.get_full_name() or "-"

    @admin.display(description="Status", ordering="deactivated_at")
    def status(self, membership: Membership) -> str:
        if not membership.user.is_active:
            return "Account switched off"
        return "Deactivated" if membership.deactivated_at else "Active"

    @admin.display(description="Last sign-in", ordering="user__last_login")
    def last_sign_in(self, membership: Membership) -> datetime | str:
        return membership.user.last_login or "Never"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def get_urls(self) -> list[Any]:
        """Add the pages that say what comes of it; ``delete`` is the one of removing."""
        own = [
            path(
                f"<path:object_id>/{verb}/",
                self.admin_site.admin_view(self.review_view),
                {"verb": verb},
                name=f"accounts_membership_{verb}",
            )
            for verb in ("deactivate", "reactivate")
        ]
        return own + super().get_urls()

    def save_model(self, request: HttpRequest, obj: Membership, form: Any, change: bool) -> None:
        memberships.change_role(obj, obj.role, _person(request))

    def changelist_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        return super().changelist_view(request, {"title": "People"})

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        shown = {"title": "Person", "show_delete": False}  # he is removed on a page of its own
        try:
            return super().changeform_view(request, object_id, form_url, shown)
        except (LastSuperAdmin, memberships.Gone) as refused:
            messages.error(request, str(refused))
            return SeeOther(request.get_full_path())

    def delete_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> Any:
        """Take a person out of the organization, having said what stops then."""
        return self.review_view(request, object_id, "remove")

    @method_decorator(password_again)
    def review_view(self, request: HttpRequest, object_id: str, verb: str) -> HttpResponseBase:
        """Say what will stop, or work again; a POST does it."""
        membership = self.get_object(request, unquote(object_id))
        if membership is None:
            raise Http404
        if not self.has_change_permission(request, membership):
            raise PermissionDenied
        problem = ""
        if request.method == "POST":
            try:
                VERBS[verb](membership, _person(request))
            except (LastSuperAdmin, memberships.Gone) as refused:
                problem = str(refused)
            else:
                messages.success(
                    request,
                    DONE[verb].format(user=membership.user, organization=membership.organization),
                )
                there = "admin:accounts_membership_changelist"
                allowed = self.admin_site.has_permission(request)
                return SeeOther(reverse(there if allowed else "home"))
        context = {
            **self.admin_site.each_context(request),
            "title": f"{verb.capitalize()} {membership.user}?",
            "opts": self.opts,
            "membership": membership,
            "verb": verb,
            "stops": stops(membership.user, membership.organization),
            "until": memberships.restorable_until(membership),
            "is_lost": memberships.is_lost(membership),
            "days": memberships.RESTORABLE_FOR.days,
            "problem": problem,
        }
        status = 409 if problem else 200
        return TemplateResponse(request, "admin/people/review.html", context, status=status)


admin.site.unregister(User)


@admin.register(User)
class PeopleUserAdmin(RecordedUserAdmin):
    """A person's page, for the operator; what he authorized ends with his account."""

    delete_confirmation_template = "admin/people/delete_user.html"

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """Vouch for an address that the operator types in; no earlier one opens the account."""
        super().save_model(request, obj, form, change)
        if not change or "email" in form.changed_data:
            email_changes.replace_all(obj)
        if change and "email" in form.changed_data:
            before = form.initial["email"]
            words = f"changed the address of your account from {before} to {obj.email}"
            changed_by_operator(request, obj, words, before)

    @method_decorator(unit_of_work)
    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> Any:
        """Set another password for somebody, and tell them."""
        before = self.get_object(request, unquote(id))
        response = super().user_change_password(request, id, form_url)
        after = self.get_object(request, unquote(id))
        if before and after and before.password != after.password:
            changed_by_operator(request, after, "set another password for your account")
        return response

    @method_decorator(unit_of_work)
    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, *args: Any, **kwargs: Any
    ) -> Any:
        def change() -> Any:
            return super(PeopleUserAdmin, self).changeform_view(request, object_id, *args, **kwargs)

        user = self.get_object(request, unquote(object_id)) if object_id else None
        if request.method != "POST" or user is None:
            return change()
        return self._keeping(request, [user], change)

    def delete_view(
        self,
        request: HttpRequest,
        object_id: str,
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        user = self.get_object(request, unquote(object_id))
        shown = {"stops": stops(user) if user else []}

        def delete() -> Any:
            return super(PeopleUserAdmin, self).delete_view(request, object_id, shown)

        return self._keeping(request, [user], delete) if user else delete()

    def response_action(self, request: HttpRequest, queryset: Any) -> Any:  # type: ignore[override]
        ticked = queryset
        if request.POST.get("select_across") != "1":
            ticked = queryset.filter(pk__in=request.POST.getlist("_selected_action"))

        def act() -> Any:
            return super(PeopleUserAdmin, self).response_action(request, queryset)

        return self._keeping(request, ticked, act)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """End what the person has authorized where he leaves, then save where he belongs."""
        left = [row for formset in formsets for row in _left(formset)]
        ended = [told for row in left for told in memberships.end_given_in(row, _person(request))]
        super().save_related(request, form, formsets, change)
        record_entries(request.user, ended)

    def of_deleted(self, row: User, by: User) -> list[Entry]:
        """Tell of a person, and end what he has authorized, while he is there."""
        User.objects.select_for_update().get(pk=row.pk)
        return [*super().of_deleted(row, by), *memberships.end_given_by(row, by)]

    def _keeping(
        self, request: HttpRequest, people: Any, act: Callable[[], Any]
    ) -> HttpResponseBase:
        try:
            with keeping_super_admins(memberships.organizations_of(people)):
                return act()
        except LastSuperAdmin as refused:
            messages.error(request, str(refused))
            return SeeOther(request.get_full_path())


def _left(formset: Any) -> list[Membership]:
    """Return the memberships that a person's page takes away, or makes another's."""
    left = [form.instance for form in formset.deleted_forms]
    for form in formset.forms:
        before = form.initial.get("organization")
        if before and "organization" in form.changed_data and form not in formset.deleted_forms:
            left.append(Membership.objects.get(pk=form.instance.pk))
    return [row for row in left if row.pk]


def _person(request: HttpRequest) -> User:
    return cast(User, request.user)
