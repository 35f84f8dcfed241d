"""Mail to people whose account an operator has changed."""

from __future__ import annotations

from allauth.account.adapter import get_adapter
from django.http import HttpRequest

from console.accounts.models import User


def changed_by_operator(request: HttpRequest, user: User, change: str, email: str = "") -> None:
    """Notify a person of a change; ``email`` is their previous address if that has changed."""
    if email or user.email:
        context = {"by": request.user, "change": change}
        get_adapter().send_mail("account/email/changed_by_operator", email or user.email, context)
