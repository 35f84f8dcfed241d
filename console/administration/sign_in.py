"""Second factors and addresses in Administration.

An operator takes away the factor that somebody lost, and vouches for an address.
"""

from __future__ import annotations

from typing import Any, cast

from allauth.account import admin as account_admin  # noqa: F401  registers what is replaced here
from allauth.account.models import EmailAddress
from allauth.mfa import admin as mfa_admin  # noqa: F401
from allauth.mfa.models import Authenticator
from allauth.usersessions import admin as usersessions_admin  # noqa: F401
from allauth.usersessions.models import UserSession
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.utils.decorators import method_decorator

from console.accounts.models import User
from console.administration.accounts import OperatorRowsMixin
from console.signing_in import email_changes, factor_events
from console.signing_in.operator_notices import changed_by_operator
from console.signing_in.reauthentication import PasswordAgainMixin
from console.signing_in.unit_of_work import unit_of_work

for registered in (Authenticator, EmailAddress):
    admin.site.unregister(registered)
# Each person sees his own on the page *Security*; nobody needs those of others.
admin.site.unregister(UserSession)


@admin.register(EmailAddress)
class EmailAddressAdmin(OperatorRowsMixin, PasswordAgainMixin, admin.ModelAdmin):
    """Which address is whose, and which of them nobody has confirmed."""

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
        # Actions ask for it; a row itself is only looked at.
        return obj is None and super().has_change_permission(request)

    def delete_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        # It goes with its account, or its owner removes it.
        raise PermissionDenied

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        actions: dict[str, Any] = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions

    @admin.action(description="Confirm: I know that it is theirs", permissions=["change"])
    def confirm(self, request: HttpRequest, queryset: Any) -> None:
        """Vouch for addresses, and never for one's own."""
        by = cast(User, request.user)
        for address in queryset.filter(verified=False).select_related("user"):
            if address.user == by:
                messages.error(request, f"{address} is your own: another operator can confirm it.")
            elif not address.can_set_verified():
                messages.error(request, f"{address} is confirmed for another account already.")
            else:
                email_changes.vouch(address, by)
                messages.success(request, f"{address} is confirmed.")


@admin.register(Authenticator)
class AuthenticatorAdmin(OperatorRowsMixin, admin.ModelAdmin):
    """What there is and since when, and never what it rests on."""

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
        self._tell(request, [obj])
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        self._tell(request, queryset.select_related("user"))
        super().delete_queryset(request, queryset)

    def _tell(self, request: HttpRequest, factors: Any) -> None:
        """Record recovery codes that are taken away by themselves, and mail to whose they were."""
        for factor in factors:
            kind = factor_events.FACTORS[Authenticator.Type(factor.type)]
            if factor.type == Authenticator.Type.RECOVERY_CODES:
                factor_events.removed(factor)
            changed_by_operator(request, factor.user, f"removed your second factor: {kind}")
