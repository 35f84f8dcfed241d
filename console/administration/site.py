"""The admin site, for operators and super admins."""

from __future__ import annotations

from typing import Any

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.http import HttpRequest
from django.utils.decorators import method_decorator

from console.accounts.policy import Action


class ConsoleAdminSite(admin.AdminSite):
    """Administration: people, applications and OAuth clients."""

    site_header = "Developer Console administration"
    site_title = "Developer Console"
    index_title = "Administration"
    site_url = "/"

    @method_decorator(secure_admin_login)
    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Redirect to the console's sign-in page; answer 403 to people without access."""
        return super().login(request, extra_context)

    def get_urls(self) -> list[Any]:
        """Leave out ``view_on_site``, which redirects to rows of any organization."""
        return [each for each in super().get_urls() if getattr(each, "name", "") != "view_on_site"]

    def has_permission(self, request: HttpRequest) -> bool:
        user: Any = request.user
        return user.is_active and (
            user.is_superuser or (user.is_authenticated and user.may(Action.MANAGE_OAUTH_CLIENTS))
        )
