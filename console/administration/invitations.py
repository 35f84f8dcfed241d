"""Invitations in Administration: adding one sends the mail."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.utils import timezone

from console.accounts.http import SeeOther
from console.accounts.models import User
from console.accounts.policy import Action
from console.administration.policy_admin import PolicyAdmin
from console.choices import Role
from console.inviting import inviting
from console.inviting.models import Invitation
from console.signing_in.reauthentication import ReauthenticationMixin


class InvitationForm(forms.ModelForm):
    """An address to invite into an organization, with a role."""

    role = forms.ChoiceField(choices=Role.choices, initial=Role.DEVELOPER)

    class Meta:
        model = Invitation
        fields = ["email", "organization", "role"]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not self.errors:
            given = cleaned["organization"], cleaned["email"], cleaned["role"]
            if problem := inviting.refusal(*given):
                raise forms.ValidationError(problem)
        return cleaned


class InvitationStatusFilter(admin.SimpleListFilter):
    title = "status"
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        return Invitation.Status.choices

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        now = timezone.now()
        match self.value():
            case Invitation.Status.OPEN:
                return queryset.open().filter(expires_at__gt=now)
            case Invitation.Status.EXPIRED:
                return queryset.open().filter(expires_at__lte=now)
            case Invitation.Status.ACCEPTED:
                return queryset.exclude(accepted_at=None)
            case Invitation.Status.WITHDRAWN:
                return queryset.exclude(withdrawn_at=None)
        return queryset


class InvitationAdmin(ReauthenticationMixin, PolicyAdmin):
    """Invitations into the person's own organizations. Only the mail holds the link."""

    action = Action.MANAGE_PEOPLE
    form = InvitationForm
    list_display = ["email", "role", "organization", "state", "invited_by", "expires_at"]
    list_filter = [
        InvitationStatusFilter,
        "role",
        ("organization", admin.RelatedOnlyFieldListFilter),
    ]
    list_select_related = ["organization", "invited_by"]
    search_fields = ["email"]
    actions = ["send_again", "withdraw"]

    @admin.display(description="Status")
    def state(self, invitation: Invitation) -> str:
        return invitation.status.label

    def get_queryset(self, request: HttpRequest) -> Any:
        """Leave out invitations of clients, which have a page in the console."""
        return super().get_queryset(request).into_organization()

    def get_fields(self, request: HttpRequest, obj: Invitation | None = None) -> Any:
        entered = ["email", "organization", "role"]
        if obj is None:
            return entered
        return [*entered, "state", "invited_by", "sent_at", "expires_at", "accepted_at"]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # Actions require this permission; a single invitation is read-only.
        return obj is None and super().has_change_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # Only operators delete invitations, together with their organization.
        return request.user.is_superuser

    def changelist_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        return super().changelist_view(request, {"title": "Invitations"})

    def delete_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        raise PermissionDenied

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        actions: dict[str, Any] = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions

    def save_model(self, request: HttpRequest, obj: Invitation, form: Any, change: bool) -> None:
        by = cast(User, request.user)
        on_failure = partial(messages.error, request)
        sent = inviting.invite(obj.organization, obj.email, obj.role, by, on_failure=on_failure)
        obj.pk = sent.pk

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        try:
            return super().changeform_view(request, object_id, form_url, {"show_delete": False})
        except inviting.InvitationRefused as error:
            messages.error(request, str(error))
            return SeeOther(request.get_full_path())

    @admin.action(description="Send again", permissions=["change"])
    def send_again(self, request: HttpRequest, queryset: Any) -> None:
        def resend(invitation: Invitation) -> None:
            by, on_failure = cast(User, request.user), partial(messages.error, request)
            inviting.resend(invitation, by, on_failure=on_failure)

        self._for_each(
            request, queryset, resend, "Sent again to {}. The earlier link no longer works."
        )

    @admin.action(description="Withdraw", permissions=["change"])
    def withdraw(self, request: HttpRequest, queryset: Any) -> None:
        def withdraw(invitation: Invitation) -> None:
            inviting.withdraw(invitation, cast(User, request.user))

        self._for_each(request, queryset, withdraw, "The invitation of {} was withdrawn.")

    def _for_each(
        self,
        request: HttpRequest,
        invitations: Any,
        verb: Callable[[Invitation], None],
        done: str,
    ) -> None:
        for invitation in invitations:
            try:
                verb(invitation)
            except inviting.InvitationRefused as error:
                messages.error(request, str(error))
            else:
                messages.success(request, done.format(invitation.email))
