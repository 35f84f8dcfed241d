"""How django-allauth signs people in here."""

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest


class ClosedSignUpAdapter(DefaultAccountAdapter):
    """Nobody signs up by himself: an operator or a super admin makes the account."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False
