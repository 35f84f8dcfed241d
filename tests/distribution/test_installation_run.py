"""Run a function or workflow of an installed application."""

from __future__ import annotations

from django.urls import reverse
from django.utils import timezone

from connections.models import InstalledConnection
from console.publishing.models import Installation
from tests.distribution.page_text import text


def test_it_runs_with_the_accounts_of_the_person(
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
    # It never uses the account of another person.
    other = text(signed_in(boss).post(place))
    assert "You have not authorized Mailbox in Production yet" in other


def test_it_does_not_run_after_the_license_has_ended(installed, signed_in, person):
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


def test_an_unknown_function_is_not_found(installed, signed_in, person):
    installation = installed()
    place = reverse("installation_run", args=[installation.pk, "no_such_thing"])
    assert signed_in(person).get(place).status_code == 404
