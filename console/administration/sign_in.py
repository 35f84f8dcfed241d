"""E-mail addresses and second factors in Administration, for operators.

An operator confirms an address of a person, or removes a second factor that they lost.
"""

from __future__ import annotations

from typing import Any, cast

from allauth.mfa.models import Authenticator
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.utils.decorators import method_decorator

from console.accounts.models import User
from console.administration.policy_admin import OperatorRowsMixin
from console.signing_in import email_changes, factor_events
from console.signing_in.operator_notices import changed_by_operator
from console.signing_in.reauthentication import ReauthenticationMixin
from console.signing_in.unit_of_work import unit_of_work


class EmailAddressAdmin(OperatorRowsMixin, ReauthenticationMixin, admin.ModelAdmin):
    """The addresses of all accounts; an action confirms those that are not confirmed."""

    list_display = ["email", "user", "verified", "primary"]
    list_filter = ["verified"]
    list_select_related = ["user"]
    search_fields = ["email", "user__email"]
    fields = ["user", "email", "verified", "primary"]
    readonly_fields = ["user", "email", "verified", "primary"]
    actions = ["confirm"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # Actions require this permission; a single row is read-only.
        return obj is None and super().has_change_permission(request)

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any
    ) -> Any:
        context["show_delete"] = False
        return super().render_change_form(request, context, *args, **kwargs)

    def delete_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        # An address is deleted with its account, or removed by its owner.
        raise PermissionDenied

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        actions: dict[str, Any] = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions

    @admin.action(description="Confirm that the address is theirs", permissions=["change"])
    def confirm(self, request: HttpRequest, queryset: Any) -> None:
        """Confirm addresses on the operator's word, except the operator's own."""
        by = cast(User, request.user)
        for address in queryset.filter(verified=False).select_related("user"):
            if address.user == by:
                messages.error(
                    request, f"{address} is your own address. Ask another operator to confirm it."
                )
            elif not address.can_set_verified():
                messages.error(request, f"Another account has already confirmed {address}.")
            else:
                email_changes.vouch(address, by)
                messages.success(request, f"Confirmed {address}.")


class AuthenticatorAdmin(OperatorRowsMixin, admin.ModelAdmin):
    """The type and dates of second factors, never their secrets. Operators can remove one."""

    list_display = ["user", "type", "created_at", "last_used_at"]
    list_filter = ["type"]
    search_fields = ["user__email"]
    fields = ["user", "type", "created_at", "last_used_at"]
    readonly_fields = ["user", "type", "created_at", "last_used_at"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @method_decorator(unit_of_work)
    def changelist_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        return super().changelist_view(request, *args, **kwargs)

    @method_decorator(unit_of_work)
    def delete_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        return super().delete_view(request, *args, **kwargs)

    def delete_model(self, request: HttpRequest, obj: Authenticator) -> None:
        self._record_and_notify(request, [obj])
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        self._record_and_notify(request, queryset.select_related("user"))
        super().delete_queryset(request, queryset)

    def _record_and_notify(self, request: HttpRequest, factors: Any) -> None:
        """Mail the owners, and record recovery codes: ``factor_events`` records other factors."""
        for factor in factors:
            kind = factor_events.FACTORS[Authenticator.Type(factor.type)]
            if factor.type == Authenticator.Type.RECOVERY_CODES:
                factor_events.record_removal(factor)
            changed_by_operator(request, factor.user, f"removed your second factor: {kind}")
