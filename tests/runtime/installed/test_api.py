"""What the API tells and runs for a client's program."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from connections.models import InstalledConnection
from console.distribution import sharing, updating
from console.publishing.models import Installation
from tests.runtime.answers import problem

API = "http://localhost:9000/api"


@pytest.fixture
def both(authorized, crm, mailbox, boss, person, installation) -> None:
    authorized(crm, boss, secret={"access_token": "of-the-client"})
    authorized(mailbox, person, own=True, secret={"access_token": "of-the-person"})


def test_it_tells_how_the_clients_connections_stand(ask, both, boss, person, token_of):
    told = {each["link_name"]: each for each in ask("connections/").json()["connections"]}
    assert told["crm"]["account"] == f"account of {boss}"
    assert told["crm"]["environment"] == "production"
    assert told["mailbox"]["state"] == "user_token_required"
    assert told["mailbox"]["account"] is None
    own = ask("connections/mailbox/", **token_of(person)).json()
    assert (own["works"], own["account"]) == (True, f"account of {person}")
    others = ask("connections/mailbox/", **token_of(boss)).json()
    assert (others["works"], others["account"]) == (False, None)


def test_it_leads_to_the_clients_page(ask, installation, rows_of, settings):
    settings.PUBLIC_URL = "https://console.example"
    row = rows_of()["crm"]
    assert ask("connections/crm/").json()["authorize_url"] == (
        f"https://console.example/installed/connections/{row.pk}/authorize/"
    )


def test_after_an_update_the_permissions_are_the_new_ones(
    ask, both, crm, mailbox, change, publish, installation, super_admin, boss
):
    asked = ask("connections/crm/").json()["scopes"]["asked"]
    crm.scopes = [*crm.scopes, "orders.read"]
    crm.save()
    change(crm, mailbox)
    newer = publish()
    assert ask("connections/crm/").json()["scopes"]["asked"] == asked
    sharing.send_update(installation.share, newer, super_admin)
    updating.update(installation, boss, seen=str(newer.pk))
    told = ask("connections/crm/").json()
    assert "orders.read" in told["scopes"]["asked"]
    assert (told["state"], told["scopes"]["missing"]) == ("permissions_missing", ["orders.read"])


def test_a_function_runs_in_production(ask, both, network, token_of, person):
    network.get(f"{API}/contacts", json={"contacts": []})
    told = ask("functions/find_people/run", {}, **token_of(person)).json()
    assert (told["outcome"], told["environment"]) == ("worked", "production")
    used = [call.request.headers["Authorization"] for call in network.calls]
    assert used == ["Bearer of-the-client", "Bearer of-the-person"]


def test_it_runs_what_is_installed_and_not_what_is_built(
    ask, both, network, change, crm, publish, token_of, person
):
    network.get(f"{API}/contacts", json={})
    change(crm)
    publish()
    told = ask("functions/find_people/run", {}, **token_of(person)).json()
    assert [len(step["calls"]) for step in told["steps"]] == [2]


def test_nothing_is_called_before_everybody_has_authorized(ask, both, network, token_of, boss):
    response = ask("functions/find_people/run", {}, **token_of(boss))
    problem(response, "authorization-required", 409)
    problem(ask("functions/find_people/run", {}), "user-token-required", 401)
    assert len(network.calls) == 0


@pytest.mark.parametrize("path", ["connections/", "connections/crm/", "functions/find_people/run"])
def test_after_the_license_nothing_is_told_or_run(ask, both, network, token_of, person, path):
    past = timezone.now() - timedelta(seconds=1)
    for rows in (Installation.objects, InstalledConnection.objects):
        rows.update(ends_at=past)
    data = {} if path.endswith("run") else None
    document = problem(ask(path, data, **token_of(person)), "license-ended", 403)
    assert document["detail"].startswith("The license of Field Service has ended")
    assert len(network.calls) == 0
