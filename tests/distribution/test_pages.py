"""What clients and their people see and press; nothing of developers, nothing of each other."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from connections.models import InstalledConnection
from console.applications.models import Application
from console.choices import Role
from console.distribution import sharing
from console.distribution.models import Listing, Picture, Share
from console.inviting.models import Invitation
from console.publishing.models import Installation, Release
from tests.distribution.test_pictures import SECRET, chunk, png


def text(response) -> str:
    return " ".join(response.content.decode().split())


def test_clients_are_invited_resent_and_withdrawn(signed_in, super_admin, studio, settings):
    browser = signed_in(super_admin)
    address = {"email": "New@Partner.example"}
    assert browser.post(reverse("client_invite"), address).status_code == 303
    invitation = Invitation.objects.get(organization=studio)
    page = text(browser.get(reverse("client_list")))
    assert "new@partner.example" in page
    assert "Valid for 2 weeks" in page.replace("\xa0", " ")
    again = browser.post(reverse("client_invite"), address)
    assert again.status_code == 422
    assert "is invited already" in text(again)

    Invitation.objects.update(expires_at=timezone.now() - timedelta(days=1))
    assert "Expired" in text(browser.get(reverse("client_list")))
    browser.post(reverse("client_invitation_resend", args=[invitation.pk]))
    invitation.refresh_from_db()
    assert invitation.expires_at > timezone.now()
    browser.post(reverse("client_invitation_withdraw", args=[invitation.pk]))
    answer = browser.post(reverse("client_invitation_resend", args=[invitation.pk]), follow=True)
    assert "was withdrawn" in text(answer)


def test_a_developer_with_the_right_sees_clients_and_manages_none(
    signed_in, developer, may_distribute, share
):
    row = share()
    browser = signed_in(developer)
    page = text(browser.get(reverse("client_list")))
    assert "Client" in page
    assert reverse("share_detail", args=[row.pk]) in page
    assert "Invite a client" not in page
    detail = text(browser.get(reverse("share_detail", args=[row.pk])))
    assert "Withdraw" not in detail
    may_distribute.delete()
    assert reverse("share_detail", args=[row.pk]) not in text(browser.get(reverse("client_list")))


def test_sharing_asks_and_shares(
    signed_in, super_admin, application, client_organization, first, boss
):
    browser, place = signed_in(super_admin), reverse("share_create", args=[application.pk])
    assert "Release 1 (in Stage)" in text(browser.get(place))
    data = {"client": client_organization.pk, "release": first.pk, "license": "trial_15"}
    wrong = browser.post(place, data | {"ends_on": "2099-01-01"})
    assert wrong.status_code == 422
    assert "A trial ends automatically" in text(wrong)
    assert browser.post(place, data).status_code == 303
    twice = browser.post(place, data)
    assert twice.status_code == 409
    assert "already" in text(twice)


@pytest.mark.parametrize("name", ["created_by", "ends_at", "installation", "withdrawn_at"])
def test_forms_take_no_other_fields(
    name, signed_in, super_admin, application, client_organization, first
):
    data = {"client": client_organization.pk, "release": first.pk, "license": "subscription"}
    place = reverse("share_create", args=[application.pk])
    signed_in(super_admin).post(place, data | {name: "2020-01-01"})
    row = Share.objects.get()
    assert (row.created_by, row.ends_at, row.installation, row.withdrawn_at) == (
        super_admin,
        None,
        None,
        None,
    )


def test_another_applications_release_is_not_shared(
    signed_in, super_admin, application, client_organization, first, studio
):
    other = Application.objects.create(organization=studio, name="Other", link_name="other")
    foreign = Release.objects.create(
        application=other, number=1, content=first.content, created_by=super_admin
    )
    data = {"client": client_organization.pk, "release": foreign.pk, "license": "subscription"}
    answer = signed_in(super_admin).post(reverse("share_create", args=[application.pk]), data)
    assert answer.status_code == 422
    assert not Share.objects.exists()


def test_the_page_before_installing_says_all_of_it(share, signed_in, boss):
    row = share("trial_30")
    browser = signed_in(boss)
    assert "Shared with you" in text(browser.get(reverse("installation_list")))
    page = text(browser.get(reverse("share_install", args=[row.pk])))
    for words in (
        "Studio",
        "CRM",
        "for everyone",
        "Mailbox",
        "with their own account",
        "See your contacts",
        "contacts.read",
        "Trial, 30 days from the installation",
    ):
        assert words in page
    answer = browser.post(
        reverse("share_install", args=[row.pk]), {"seen": str(row.release_id)}, follow=True
    )
    assert "Field Service is installed" in text(answer)
    again = browser.post(
        reverse("share_install", args=[row.pk]), {"seen": str(row.release_id)}, follow=True
    )
    assert "already installed" in text(again)
    assert Installation.objects.count() == 1


@pytest.mark.parametrize("role", [Role.ADMIN, Role.DEVELOPER, Role.USER])
def test_nobody_else_gets_to_the_page(role, share, listing, member, client_organization, signed_in):
    row = share()
    browser = signed_in(member(client_organization, role, "other@client.example"))
    for method in ("get", "post"):
        assert getattr(browser, method)(reverse("share_install", args=[row.pk])).status_code == 404
        place = reverse("listing_install", args=[listing.application_id])
        assert getattr(browser, method)(place).status_code == 403
    assert not Installation.objects.exists()


def test_the_checklist_says_who_has_what_to_do(
    installed, signed_in, boss, person, crm, mailbox, authorized, rows_of
):
    place = reverse("installation_detail", args=[installed().pk])
    page = text(signed_in(boss).get(place))
    assert "2 for you to authorize" in page
    assert "0 of 2 have done so" in page
    authorized(mailbox, person, own=True)
    page = text(signed_in(boss).get(place))
    assert "1 of 2 have done so" in page
    assert f"account of {person.email}" not in page
    rows = rows_of()
    mine = text(signed_in(person).get(place))
    assert "Waiting for an administrator" in mine
    assert f"account of {person.email}" in mine
    assert str(rows["mailbox"].pk) in mine
    assert str(rows["crm"].pk) not in mine
    authorized(crm, boss)
    assert "Works" in text(signed_in(person).get(place))
    assert f"account of {boss.email}" not in text(signed_in(person).get(place))


def test_my_connections_are_my_own(installed, signed_in, person, crm, mailbox):
    place = reverse("my_connections", args=[installed().pk])
    page = text(signed_in(person).get(place))
    assert "Mailbox" in page
    assert "CRM" not in page


def test_a_run_is_made_as_the_person(
    installed, signed_in, boss, person, crm, mailbox, authorized, network
):
    place = reverse("installation_run", args=[installed().pk, "find_people"])
    refused = text(signed_in(person).post(place))
    assert "CRM is not authorized for Client" in refused
    assert "Authorize CRM" not in refused
    assert "Authorize CRM" in text(signed_in(boss).post(place))
    authorized(crm, boss)
    authorized(mailbox, person, own=True)
    network.get("http://localhost:9000/api/contacts", json={"people": ["Ann"]})

    done = text(signed_in(person).post(place))

    assert "It worked" in done
    assert f"Mailbox, as account of {person.email}" in done
    assert "CRM, as the account of Client" in done
    assert f"account of {boss.email}" not in done
    assert "Ann" in done
    assert "an-access-token" not in done
    # Nobody else's account is taken for his.
    other = text(signed_in(boss).post(place))
    assert "You have not authorized Mailbox in Production yet" in other


def test_after_the_license_nothing_runs_and_nothing_is_lost(installed, signed_in, person):
    installation = installed()
    Installation.objects.update(ends_at=timezone.now())
    InstalledConnection.objects.update(ends_at=timezone.now())
    browser = signed_in(person)
    assert "License ended" in text(browser.get(reverse("installation_list")))
    assert "Nothing is deleted" in text(
        browser.get(reverse("installation_detail", args=[installation.pk]))
    )
    answer = browser.post(reverse("installation_run", args=[installation.pk, "find_people"]))
    assert answer.status_code == 422


def test_what_is_no_function_does_not_run(installed, signed_in, person):
    installation = installed()
    place = reverse("installation_run", args=[installation.pk, "no_such_thing"])
    assert signed_in(person).get(place).status_code == 404


def test_an_update_is_shown_left_and_taken(
    installed, signed_in, boss, super_admin, change, crm, publish
):
    installation = installed()
    change(crm)
    release = publish("Without mail")
    sharing.send_update(Share.objects.get(), release, super_admin)
    browser, place = signed_in(boss), reverse("installation_update", args=[installation.pk])
    assert "Release 2 is available" in text(browser.get(reverse("installation_list")))
    page = text(browser.get(place))
    for words in ("Without mail", "Mailbox", "Deleted", "1 function modified"):
        assert words in page
    left = browser.post(place, {"seen": str(release.pk), "leave": "yes"}, follow=True)
    assert "stays at Release 1" in text(left)
    assert "(skipped)" in text(browser.get(reverse("installation_list")))
    assert "was updated" in text(browser.post(place, {"seen": str(release.pk)}, follow=True))
    assert "no newer release is offered" in text(browser.get(place))


def test_uninstalling_asks_for_the_password_and_tells_what_stops(
    installed, client, boss, signed_in, crm, authorized
):
    place = reverse("installation_uninstall", args=[installed().pk])
    authorized(crm, boss)
    client.force_login(boss)  # long ago
    assert client.get(place).status_code == 302
    client.post(place)
    assert Installation.objects.exists()
    browser = signed_in(boss)
    assert "CRM at Sandbox" in text(browser.get(place))
    answer = text(browser.post(place, follow=True))
    assert "Field Service was uninstalled" in answer
    assert "erased here" in answer
    assert browser.get(place).status_code == 404


def test_a_listing_is_written_submitted_refused_and_published(
    signed_in, super_admin, operator, boss, application, first
):
    browser, place = signed_in(super_admin), reverse("listing_edit", args=[application.pk])
    data = {
        "title": "Field Service",
        "summary": "Whom to send.",
        "description": "<script>alert(1)</script> words",
        "help_url": "https://studio.example/help",
        "release": first.pk,
    }
    for name, wrong in (("summary", "x" * 161), ("help_url", "javascript:alert(1)")):
        assert browser.post(place, data | {name: wrong}).status_code == 422
    assert browser.post(place, data).status_code == 303
    add = reverse("picture_add", args=[application.pk])
    file = SimpleUploadedFile("a.svg", b"<svg/>", "image/png")
    assert browser.post(add, {"picture": file, "words": "A plan"}).status_code == 422
    for _ in range(6):
        file = SimpleUploadedFile("a.png", png(80, 70, chunk(b"tEXt", SECRET)), "image/png")
        browser.post(add, {"picture": file, "words": "A plan"})
    assert Picture.objects.count() == 5
    picture = browser.get(reverse("listing_picture", args=[Picture.objects.first().pk]))
    assert picture["Content-Type"] == "image/png"
    assert picture["X-Content-Type-Options"] == "nosniff"
    assert SECRET not in picture.content
    other = signed_in(boss)
    hidden = reverse("listing_picture", args=[Picture.objects.first().pk])
    assert other.get(hidden).status_code == 404
    assert other.get(reverse("listing_detail", args=[application.pk])).status_code == 404

    browser.post(reverse("listing_submit", args=[application.pk]))
    assert "waiting for review" in text(browser.post(place, data, follow=True))
    row, reviewer = Listing.objects.get(), signed_in(operator)
    review = reverse("listing_review", args=[row.pk])
    assert reviewer.post(review, {"decision": "refuse"}).status_code == 422
    reviewer.post(review, {"decision": "refuse", "note": "Say for whom."})
    assert "Say for whom." in text(browser.get(place))
    browser.post(reverse("listing_submit", args=[application.pk]))
    reviewer.post(review, {"decision": "publish"})

    page = text(other.get(reverse("listing_detail", args=[application.pk])))
    assert "&lt;script&gt;" in page
    assert "Mailbox" in page
    assert "Field Service" in text(other.get(reverse("marketplace"), {"q": "whom SEND"}))
    assert "No applications found" in text(other.get(reverse("marketplace"), {"q": "nothing"}))
    assert other.get(hidden).status_code == 200
    # A change is written beside what is published, which stays.
    browser.post(place, data | {"title": "Other words"})
    assert {row.state for row in Listing.objects.all()} == {"draft", "published"}
    assert "Other words" not in text(other.get(reverse("marketplace")))
    browser.post(reverse("listing_withdraw", args=[application.pk]))
    assert other.get(reverse("listing_detail", args=[application.pk])).status_code == 404


def test_ids_of_others_are_as_absent_ones(installed, signed_in, stranger, stranger_organization):
    installation, row = installed(), Share.objects.get()
    stranger.memberships.update(role=Role.SUPER_ADMIN)
    browser = signed_in(stranger)
    for name, pk in (
        ("installation_detail", installation.pk),
        ("my_connections", installation.pk),
        ("installation_update", installation.pk),
        ("installation_uninstall", installation.pk),
        ("share_detail", row.pk),
        ("share_install", row.pk),
        ("share_create", installation.application_id),
        ("listing_edit", installation.application_id),
    ):
        assert browser.get(reverse(name, args=[pk])).status_code == 404, name


def test_lists_ask_as_often_for_many_as_for_one(
    installed, signed_in, boss, django_assert_max_num_queries
):
    installed()
    browser = signed_in(boss)
    browser.get(reverse("installation_list"))
    with django_assert_max_num_queries(20):
        browser.get(reverse("installation_list"))
