"""Nobody can take over an account by adding its address to their own account first."""

from __future__ import annotations

import re

import pytest
from allauth.account.models import EmailAddress
from django.conf import settings
from django.core import mail
from django.test import Client
from django.urls import reverse

from console.accounts.models import Membership, User
from console.choices import Role
from console.inviting import accepting, inviting
from tests.signing_in.conftest import PASSWORD

EMAIL = reverse("account_email")
CODE = reverse("account_email_verification_sent")
RESET = reverse("account_reset_password")
LOGIN = reverse("account_login")
CEO = "ceo@victim.example"


@pytest.fixture
def victim(stranger_organization):
    return stranger_organization


@pytest.fixture
def boss(member, victim):
    return member(victim, Role.SUPER_ADMIN)


@pytest.fixture
def attacker(member, studio):
    return member(studio, Role.USER)


@pytest.fixture
def link():
    """Invite an address into an organization and return the link in the mail."""

    def invite(organization, by, email: str = CEO, role: str = Role.SUPER_ADMIN) -> str:
        invitation = inviting.invite(organization, email, role, by, on_failure=print)
        token = "a" * 43
        invitation.token_hash = inviting.digest(token)
        invitation.save()
        return reverse("invitation_open", args=[token])

    return invite


def post(client: Client, action: str, email: str):
    return client.post(EMAIL, {"email": email, f"action_{action}": ""})


def mailed_code(to: str) -> str:
    """Return the code that was mailed to an address last."""
    [*_, message] = [each for each in mail.outbox if each.to == [to] and "code" in each.body]
    return re.search(r"15 minutes:\n(\S+)", message.body)[1]


def confirm(client: Client, email: str):
    return client.post(CODE, {"code": mailed_code(email)})


def reset_links(email: str) -> list[str]:
    """Request a password reset and return the links in all mails."""
    mail.outbox.clear()
    Client(REMOTE_ADDR="198.51.100.7").post(RESET, {"email": email})
    found = [re.findall(rf"{settings.PUBLIC_URL}(/\S+)", each.body) for each in mail.outbox]
    return [link for links in found for link in links]


def test_claiming_an_address_before_its_owner_gives_no_access(
    attacker, victim, boss, link, sign_in
):
    client, _ = sign_in(attacker)
    old = attacker.email
    post(client, "add", CEO)
    post(client, "primary", CEO)
    attacker.refresh_from_db()
    assert attacker.email == old

    # Their address is nobody's: no link for a new password, and they make their own account.
    assert reset_links(CEO) == []
    ceo = Client()
    page = ceo.get(link(victim, boss), follow=True)
    assert 'name="password"' in page.content.decode()
    ceo.post(reverse("invitation_detail"), {"password": "entirely-new-9"})
    owner = User.objects.get(email=CEO)
    assert owner != attacker
    assert Membership.objects.get(organization=victim, user=owner).role == Role.SUPER_ADMIN

    # The addresses that the attacker still has give access only to their own account.
    for place in reset_links(old):
        assert attacker.pk.hex in place
    assert not Membership.objects.filter(organization=victim, user=attacker).exists()
    assert sign_in(CEO, PASSWORD)[1].status_code == 200


@pytest.mark.parametrize("claim", [CEO, CEO.upper(), "ceo@ｖictim.example"])  # noqa: RUF001
def test_an_unconfirmed_address_gives_no_access(attacker, sign_in, claim):
    client, _ = sign_in(attacker)
    post(client, "add", claim)
    assert not EmailAddress.objects.filter(user=attacker, verified=True).exclude(
        email=attacker.email
    )
    assert reset_links(CEO) == []
    assert sign_in(CEO, PASSWORD)[1].status_code == 200


def test_an_existing_unconfirmed_row_gives_no_access(attacker, sign_in):
    EmailAddress.objects.create(user=attacker, email=CEO)
    client, _ = sign_in(attacker)
    post(client, "primary", CEO)
    attacker.refresh_from_db()
    assert attacker.email != CEO
    assert reset_links(CEO) == []
    assert sign_in(CEO, PASSWORD)[1].status_code == 200


def test_a_claim_ends_when_the_owner_joins(attacker, victim, boss, link, sign_in):
    EmailAddress.objects.create(user=attacker, email=CEO)
    client, _ = sign_in(attacker)
    post(client, "add", CEO)
    accepting.join(_invitation(victim, boss), "entirely-new-9")
    assert not EmailAddress.objects.filter(user=attacker, email=CEO).exists()


def _invitation(victim, boss):
    return inviting.invite(victim, CEO, Role.SUPER_ADMIN, boss, on_failure=print)


def test_the_code_of_a_claim_does_not_work_after_the_owner_joined(attacker, victim, boss, sign_in):
    client, _ = sign_in(attacker)
    post(client, "add", CEO)
    code = mailed_code(CEO)
    accepting.join(_invitation(victim, boss), "entirely-new-9")
    page = client.post(CODE, {"code": code})
    assert "Another account has this address" in page.content.decode()
    assert EmailAddress.objects.get(email=CEO).user.email == CEO


def test_an_address_of_another_account_cannot_be_added(attacker, developer, sign_in):
    client, _ = sign_in(attacker)
    post(client, "add", developer.email)
    page = confirm(client, developer.email)
    assert "Another account has this address" in page.content.decode()
    assert sign_in(developer, PASSWORD)[1].status_code == 302


def test_the_code_works_only_in_the_same_browser(attacker, developer, sign_in):
    client, _ = sign_in(attacker)
    post(client, "add", CEO)
    other, _ = sign_in(developer)
    assert confirm(other, CEO).status_code == 302
    assert confirm(Client(), CEO).status_code == 302
    assert not EmailAddress.objects.filter(email=CEO).exists()


def test_the_code_ends_after_three_wrong_tries(attacker, sign_in):
    client, _ = sign_in(attacker)
    post(client, "add", CEO)
    for _ in range(3):
        client.post(CODE, {"code": "WRONG"})
    confirm(client, CEO)
    assert not EmailAddress.objects.filter(email=CEO).exists()


def test_the_code_confirms_the_address(attacker, sign_in):
    client, _ = sign_in(attacker)
    post(client, "add", "Me@Home.example")
    confirm(client, "me@home.example")
    assert sign_in("me@home.example", PASSWORD)[1].status_code == 302
    [place] = reset_links("ME@home.example")
    assert attacker.pk.hex in place


def test_an_invitation_is_accepted_with_any_confirmed_address(attacker, victim, boss, sign_in):
    client, _ = sign_in(attacker)
    invitation = inviting.invite(victim, "me@home.example", Role.USER, boss, on_failure=print)
    assert not accepting.is_for(invitation, attacker)
    post(client, "add", "me@home.example")
    assert not accepting.is_for(invitation, attacker)
    confirm(client, "me@home.example")
    assert accepting.is_for(invitation, attacker)


def test_an_unconfirmed_address_matches_no_invitation(attacker, victim, boss):
    """Accounts from before this rule may have such an address."""
    User.objects.filter(pk=attacker.pk).update(email=CEO)
    attacker.refresh_from_db()
    with pytest.raises(inviting.InvitationRefused, match="is for"):
        accepting.accept(_invitation(victim, boss), attacker)


def test_an_unconfirmed_account_belongs_to_the_owner_of_the_mailbox(attacker, sign_in, browser):
    EmailAddress.objects.filter(user=attacker).update(email=CEO, verified=False)
    User.objects.filter(pk=attacker.pk).update(email=CEO)
    client, response = sign_in(CEO, PASSWORD, browser())
    assert response["Location"] == CODE
    assert client.get(reverse("home")).status_code == 302
    assert confirm(client, CEO)["Location"] == reverse("home")
    assert EmailAddress.objects.get(user=attacker, email=CEO).verified


def test_without_mail_an_unconfirmed_account_needs_an_operator(
    attacker, sign_in, settings, browser
):
    settings.EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
    EmailAddress.objects.filter(user=attacker).update(verified=False, primary=False)
    client, response = sign_in(attacker, PASSWORD, browser())
    assert response.status_code == 403
    assert "no mail server" in response.content.decode()
    assert client.get(reverse("home")).status_code == 302


def test_without_mail_no_address_can_be_added(attacker, sign_in, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
    client, _ = sign_in(attacker)
    page = client.post(EMAIL, {"email": CEO, "action_add": ""}, follow=True)
    assert "this console has no mail server" in page.content.decode()
    assert not EmailAddress.objects.filter(email=CEO).exists()


@pytest.mark.parametrize("change", ["primary", "remove", "add"])
def test_changing_addresses_ends_reset_links(attacker, sign_in, change):
    EmailAddress.objects.create(user=attacker, email="second@studio.example", verified=True)
    client, _ = sign_in(attacker)
    [place] = reset_links(attacker.email)
    if change == "add":
        post(client, "add", "me@home.example")
        confirm(client, "me@home.example")
    else:
        post(client, change, "second@studio.example")
    page = Client().get(place, follow=True).content.decode()
    assert "This link no longer works" in page


def test_a_reset_link_goes_to_the_stored_address(db):
    """``ſ`` and ``s`` are equal to some software, but two mailboxes."""  # noqa: RUF002
    User.objects.create_user("sam@studio.example", PASSWORD)
    mail.outbox.clear()
    Client().post(RESET, {"email": "ſam@studio.example"})  # noqa: RUF001
    assert {each.to[0] for each in mail.outbox} == {"sam@studio.example"}


def test_a_dotless_i_is_another_letter(db):
    User.objects.create_user("mike@studio.example", PASSWORD)
    assert reset_links("mıke@studio.example") == []  # noqa: RUF001


@pytest.fixture
def change_address(operator, signed_in):
    """Enter another address for an account in Administration."""

    def change(user: User, email: str):
        place = reverse("admin:accounts_user_change", args=[user.pk])
        form = {
            "email": email,
            "is_active": "on",
            "memberships-TOTAL_FORMS": "0",
            "memberships-INITIAL_FORMS": "0",
        }
        return signed_in(operator).post(place, form)

    return change


def test_an_address_replaced_by_an_operator_gives_no_access(developer, change_address, sign_in):
    old, [place] = developer.email, reset_links(developer.email)
    mail.outbox.clear()
    assert change_address(developer, "New@studio.example").status_code == 302
    [message] = mail.outbox
    assert (message.to, message.subject) == ([old], "An operator changed your account")
    assert "to new@studio.example" in message.body

    assert "This link no longer works" in Client().get(place, follow=True).content.decode()
    assert reset_links(old) == []
    assert sign_in(old, PASSWORD)[1].status_code == 200
    assert sign_in("new@studio.example", PASSWORD)[1].status_code == 302


def test_an_operator_cannot_enter_an_address_of_another_account(
    developer, attacker, change_address, sign_in
):
    EmailAddress.objects.create(user=attacker, email="me@home.example", verified=True)
    page = change_address(developer, "me@home.example").content.decode()
    assert "Another account has the address me@home.example." in page


def test_an_operator_does_not_vouch_for_their_own(operator, change_address):
    change_address(operator, CEO)
    operator.refresh_from_db()
    assert operator.email == "operator@console.example"


def test_accounts_made_by_operators_have_a_confirmed_address(operator, signed_in, sign_in):
    form = {
        "email": "New@studio.example",
        "usable_password": "true",
        "password1": "entirely-new-9",
        "password2": "entirely-new-9",
        "memberships-TOTAL_FORMS": "0",
        "memberships-INITIAL_FORMS": "0",
    }
    page = signed_in(operator).post(reverse("admin:accounts_user_add"), form)
    assert page.status_code == 302
    assert sign_in("new@studio.example", "entirely-new-9")[1].status_code == 302
