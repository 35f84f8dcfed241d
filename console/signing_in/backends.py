"""Authentication backend: a password with a confirmed address."""

from __future__ import annotations

from allauth.account.auth_backends import AuthenticationBackend

from console.accounts.email_addresses import account_of
from console.accounts.models import User


class ConfirmedAddressBackend(AuthenticationBackend):
    """allauth's backend, but secondary addresses work only once they are confirmed."""

    def _authenticate_by_email(self, email: str, password: str) -> User | None:
        return self._check_password(account_of(email), password)
