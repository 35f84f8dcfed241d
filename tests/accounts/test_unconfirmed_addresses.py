"""Accounts from before addresses had to be confirmed, and how an operator settles them."""

from __future__ import annotations

from importlib import import_module

import pytest
from allauth.account.models import EmailAddress
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import transaction
from django.urls import reverse

from console.accounts.email_addresses import unconfirmed
from console.accounts.models import User
from console.audit.acts import Act
from console.audit.models import Event
from console.audit.recording import record

upgrade = import_module("console.accounts.migrations.0003_confirmed_addresses").confirm


@pytest.fixture
def before(developer):
    """Leave the developer with these rows, as the version before may have."""

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


def after(user: User) -> tuple[str, dict[str, bool]]:
    """Upgrade, and return the address of the account and which rows are confirmed."""
    upgrade(apps, None)
    user.refresh_from_db()
    rows = EmailAddress.objects.filter(user=user)
    return user.email, dict(rows.values_list("email", "verified"))


def created(
    user: User, email: str, by: User | None, act: Act = Act.USER_CREATED, **details
) -> None:
    user.email = email
    with transaction.atomic():
        record(act, None, by, user, **details)
    user.refresh_from_db()


def test_one_that_was_never_touched_is_confirmed(before):
    user = before("Old@studio.example")
    assert after(user) == ("old@studio.example", {"old@studio.example": True})


def test_one_that_was_confirmed_by_mail_stays_so(before):
    user = before("a@x.example", ("a@x.example", True, True), ("claim@x.example", False, False))
    assert after(user) == ("a@x.example", {"a@x.example": True})


def test_one_that_an_operator_typed_in_is_confirmed(before, operator):
    user = before("a@x.example", ("a@x.example", False, False))
    created(user, "A@x.example", operator)
    assert after(user) == ("a@x.example", {"a@x.example": True})


def test_one_that_an_operator_changed_to_is_confirmed(before, operator):
    user = before("a@x.example", ("a@x.example", False, False), ("b@x.example", True, True))
    created(user, "a@x.example", operator, Act.USER_CHANGED, fields=["email"])
    assert after(user) == ("a@x.example", {"a@x.example": True, "b@x.example": True})


def test_one_that_was_made_primary_unconfirmed_is_not(before, operator):
    user = before("ceo@victim.example", ("old@x.example", False, False))
    EmailAddress.objects.create(user=user, email=user.email, primary=True)
    created(user, "old@x.example", operator)
    assert after(user) == ("ceo@victim.example", {"ceo@victim.example": False})
    assert [row.email for row in unconfirmed()] == ["ceo@victim.example"]


def test_what_a_person_did_to_themselves_proves_nothing(before):
    user = before("ceo@victim.example", ("ceo@victim.example", False, True))
    created(user, "ceo@victim.example", user, Act.USER_CHANGED, fields=["email"])
    assert after(user)[1] == {"ceo@victim.example": False}


def test_one_with_another_confirmed_address_goes_back_to_that(before):
    user = before("ceo@victim.example", ("a@x.example", True, False))
    EmailAddress.objects.create(user=user, email=user.email, primary=True)
    assert after(user) == ("a@x.example", {"a@x.example": True})
    assert EmailAddress.objects.get(user=user).primary


def test_it_changes_nothing_the_second_time(before):
    user = before("ceo@victim.example", ("ceo@victim.example", False, True))
    assert after(user) == after(user)


def test_the_command_lists_them(before, capsys):
    after(before("ceo@victim.example", ("ceo@victim.example", False, True)))
    call_command("unconfirmed_addresses")
    assert capsys.readouterr().out == "ceo@victim.example: Studio\nUnconfirmed addresses: 1\n"


def test_the_command_confirms(before, capsys, sign_in):
    user = before("ceo@victim.example", ("ceo@victim.example", False, True))
    call_command("unconfirmed_addresses", confirm=["CEO@victim.example"])
    assert not unconfirmed().exists()
    assert Event.objects.filter(action=Act.USER_ADDRESS_CONFIRMED, actor=None).exists()
    assert sign_in(user)[1]["Location"] == reverse("home")


def test_the_command_names_what_it_does_not_find(db):
    with pytest.raises(CommandError, match="No account waits for the confirmation of x@y"):
        call_command("unconfirmed_addresses", confirm=["x@y"])


def test_administration_lists_them(before, operator, signed_in):
    before("ceo@victim.example", ("ceo@victim.example", False, True))
    place = reverse("admin:account_emailaddress_changelist")
    page = signed_in(operator).get(place, {"verified__exact": "0"}).content.decode()
    assert "ceo@victim.example" in page
    assert operator.email not in page.split('id="result_list"')[1]


def test_nobody_confirms_their_own(operator, signed_in):
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
