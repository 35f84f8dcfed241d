"""Accounts with an unconfirmed address, and how an operator confirms it."""

from __future__ import annotations

import pytest
from allauth.account.models import EmailAddress
from django.core.management import CommandError, call_command
from django.urls import reverse

from console.accounts.email_addresses import unconfirmed
from console.accounts.models import User
from console.audit.actions import AuditAction
from console.audit.models import Event


@pytest.fixture
def before(developer):
    """Give the developer these rows, as an import of people may."""

    def make(email: str, *rows: tuple[str, bool, bool]) -> User:
        EmailAddress.objects.filter(user=developer).delete()
        User.objects.filter(pk=developer.pk).update(email=email)
        developer.refresh_from_db()
        for address, verified, primary in rows:
            EmailAddress.objects.create(
                user=developer, email=address, verified=verified, primary=primary
            )
        return developer

    return make


def test_the_command_lists_them(before, capsys):
    before("ceo@victim.example", ("ceo@victim.example", False, True))
    call_command("unconfirmed_addresses")
    assert capsys.readouterr().out == "ceo@victim.example: Studio\nUnconfirmed addresses: 1\n"


def test_the_command_confirms(before, capsys, sign_in):
    user = before("ceo@victim.example", ("ceo@victim.example", False, True))
    call_command("unconfirmed_addresses", confirm=["CEO@victim.example"])
    assert not unconfirmed().exists()
    assert Event.objects.filter(action=AuditAction.USER_ADDRESS_CONFIRMED, actor=None).exists()
    assert sign_in(user)[1]["Location"] == reverse("home")


def test_the_command_reports_unknown_addresses(db):
    with pytest.raises(CommandError, match="No account has the unconfirmed address x@y"):
        call_command("unconfirmed_addresses", confirm=["x@y"])


def test_administration_lists_them(before, operator, signed_in):
    before("ceo@victim.example", ("ceo@victim.example", False, True))
    place = reverse("admin:account_emailaddress_changelist")
    page = signed_in(operator).get(place, {"verified__exact": "0"}).content.decode()
    assert "ceo@victim.example" in page
    assert operator.email not in page.split('id="result_list"')[1]


def test_operators_cannot_confirm_their_own_address(operator, signed_in):
    EmailAddress.objects.filter(user=operator).update(verified=False)
    row = EmailAddress.objects.get(user=operator)
    form = {"action": "confirm", "_selected_action": row.pk}
    place = reverse("admin:account_emailaddress_changelist")
    page = signed_in(operator).post(place, form, follow=True).content.decode()
    assert "is your own" in page
    row.refresh_from_db()
    assert not row.verified


def test_others_do_not_see_addresses(super_admin, signed_in):
    place = reverse("admin:account_emailaddress_changelist")
    assert signed_in(super_admin).get(place).status_code == 403
