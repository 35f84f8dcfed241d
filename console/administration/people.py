"""The people of organizations in Administration: change roles, deactivate, remove."""

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
from console.accounts.last_super_admin import LastSuperAdmin
from console.accounts.models import Membership, User
from console.accounts.policy import Action
from console.administration.policy_admin import PolicyAdmin
from console.people import memberships
from console.people.impact import affected_authorizations
from console.signing_in.reauthentication import ReauthenticationMixin, reauthentication_required

#: The verbs of the confirmation page, which lists the affected authorizations first.
VERBS: dict[str, Callable[[Membership, User], None]] = {
    "deactivate": memberships.deactivate,
    "reactivate": memberships.reactivate,
    "remove": memberships.remove,
}
#: The admin site capitalizes messages, so none begins with an e-mail address.
DONE = {
    "deactivate": "Deactivated {user} in {organization}.",
    "reactivate": "Reactivated {user} in {organization}.",
    "remove": "Removed {user} from {organization}.",
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


class MembershipAdmin(ReauthenticationMixin, PolicyAdmin):
    """The people of the person's own organizations; new people are invited (*Invitations*)."""

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
            return "Account disabled"
        return "Deactivated" if membership.deactivated_at else "Active"

    @admin.display(description="Last sign-in", ordering="user__last_login")
    def last_sign_in(self, membership: Membership) -> datetime | str:
        return membership.user.last_login or "Never"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def get_urls(self) -> list[Any]:
        """Add the confirmation pages; ``delete_view`` is the one for removing a person."""
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
        memberships.change_role(obj, obj.role, cast(User, request.user))

    def changelist_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        return super().changelist_view(request, {"title": "People"})

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        context = {"title": "Person", "show_delete": False}  # a confirmation page removes them
        try:
            return super().changeform_view(request, object_id, form_url, context)
        except (LastSuperAdmin, memberships.NotAMember) as error:
            messages.error(request, str(error))
            return SeeOther(request.get_full_path())

    def delete_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> Any:
        """Remove a person from the organization, after listing what will stop."""
        return self.review_view(request, object_id, "remove")

    @method_decorator(reauthentication_required)
    def review_view(self, request: HttpRequest, object_id: str, verb: str) -> HttpResponseBase:
        """List what will stop or work again and ask for confirmation; a POST does it."""
        membership = self.get_object(request, unquote(object_id))
        if membership is None:
            raise Http404
        if not self.has_change_permission(request, membership):
            raise PermissionDenied
        problem = ""
        if request.method == "POST":
            try:
                VERBS[verb](membership, cast(User, request.user))
            except (LastSuperAdmin, memberships.NotAMember) as error:
                problem = str(error)
            else:
                messages.success(
                    request,
                    DONE[verb].format(user=membership.user, organization=membership.organization),
                )
                people = "admin:accounts_membership_changelist"
                # People may have removed themselves, and then cannot see the list.
                allowed = self.admin_site.has_permission(request)
                return SeeOther(reverse(people if allowed else "home"))
        context = {
            **self.admin_site.each_context(request),
            "title": f"{verb.capitalize()} {membership.user}?",
            "opts": self.opts,
            "membership": membership,
            "verb": verb,
            "affected": affected_authorizations(
                membership.user, membership.organization, reader=cast(User, request.user)
            ),
            "until": memberships.restorable_until(membership),
            "is_lost": memberships.is_lost(membership),
            "days": memberships.RESTORABLE_FOR.days,
            "problem": problem,
        }
        status = 409 if problem else 200
        return TemplateResponse(request, "admin/people/review.html", context, status=status)
