"""Permissions that are taken away while they are used, in real threads and transactions.

Both changes write to the organization's audit log, whose numbers follow the order of commits: a
use with a higher number than the taking was accepted too late.
"""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest
from django.db import connections as database_connections
from django.urls import reverse

from connections.authorizations import granting
from connections.models import Authorization, Credential
from connections.models.authorization_site import AuthorizationSite
from console.accounts.authority import NotAllowed
from console.accounts.models import Membership
from console.applications.models import Right
from console.audit.actions import AuditAction
from console.audit.models import Event
from console.choices import Role
from console.components.models import Component
from console.people import memberships
from console.publishing import publishing

ROUNDS = 125
#: How many seconds the start of one change moves relative to the other in the next round.
STEP = 0.004


@dataclass(frozen=True, kw_only=True)
class Taking:
    """How a permission is taken away and given again, and the action that records it."""

    take: Callable[[], object]
    release_connection: Callable[[], object]
    act: AuditAction


@dataclass(frozen=True, kw_only=True)
class Use:
    """A change that needs the permission, and the action that records it."""

    prepare: Callable[[], object]
    do: Callable[[], object]
    act: AuditAction


@pytest.fixture
def demotion(developer, super_admin) -> Taking:
    rows = Membership.objects.filter(user=developer)
    row = rows.get()
    return Taking(
        take=lambda: memberships.change_role(row, Role.USER, super_admin),
        release_connection=lambda: rows.update(role=Role.DEVELOPER),
        act=AuditAction.MEMBERSHIP_CHANGED,
    )


@pytest.fixture
def deactivation(developer, super_admin) -> Taking:
    rows = Membership.objects.filter(user=developer)
    row = rows.get()
    return Taking(
        take=lambda: memberships.deactivate(row, super_admin),
        release_connection=lambda: rows.update(deactivated_at=None),
        act=AuditAction.MEMBERSHIP_DEACTIVATED,
    )


@pytest.fixture
def removal(developer, super_admin, studio) -> Taking:
    rows = Membership.objects.filter(user=developer)
    return Taking(
        take=lambda: memberships.remove(rows.get(), super_admin),
        release_connection=lambda: rows.get_or_create(
            user=developer, organization=studio, defaults={"role": Role.DEVELOPER}
        ),
        act=AuditAction.MEMBERSHIP_DELETED,
    )


@pytest.fixture
def taking_of_the_right(application, may_publish, super_admin, signed_in) -> Taking:
    browser = signed_in(super_admin)
    page = reverse("admin:applications_application_change", args=[application.pk])
    unticked = {
        "name": application.name,
        "rights-TOTAL_FORMS": 1,
        "rights-INITIAL_FORMS": 1,
        "rights-0-id": may_publish.pk,
        "rights-0-application": application.pk,
    }
    return Taking(
        take=lambda: browser.post(page, unticked),
        release_connection=lambda: Right.objects.update(may_publish=True),
        act=AuditAction.RIGHT_TAKEN,
    )


@pytest.fixture
def publication(application, developer, may_publish, build) -> Use:
    build("Find people")
    turns = iter(range(ROUNDS))

    def change() -> None:
        definition = f'{{"calls": [], "description": "{next(turns)}"}}'
        Component.objects.update(definition=definition)

    return Use(
        prepare=change,
        do=lambda: publishing.publish(application, developer, ticked=["find_people"]),
        act=AuditAction.RELEASE_PUBLISHED,
    )


@pytest.fixture
def authorization(network, connect, install, developer, studio) -> Use:
    """Authorize for all users of an installation in the person's own organization."""
    me = {"id": 1, "email": "alice@example.com"}
    network.get("http://localhost:9000/key/api/me", json=me)
    site = AuthorizationSite.of_installed(install(connect("sandbox_api_key"), studio))
    return Use(
        prepare=lambda: (Authorization.objects.all().delete(), Credential.objects.all().delete()),
        do=lambda: granting.store_typed_credential(
            site, developer, site.environments, {"key": "k-1"}
        ),
        act=AuditAction.AUTHORIZATION_GIVEN,
    )


@pytest.fixture
def two_threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as threads:
        yield threads
        both = threading.Barrier(2)
        for _ in range(2):
            threads.submit(lambda: (both.wait(), database_connections.close_all()))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("taking", "use", "rounds"),
    [
        ("demotion", "publication", ROUNDS),
        ("taking_of_the_right", "publication", ROUNDS),
        ("demotion", "authorization", 84),
        ("deactivation", "authorization", 83),
        ("removal", "authorization", 83),
    ],
)
def test_no_change_is_saved_after_permission_is_taken_away(
    taking, use, rounds, two_threads, request
):
    taking, use = request.getfixturevalue(taking), request.getfixturevalue(use)
    dice, outcomes, lead = random.Random(17), Counter(), 0.0
    for _ in range(rounds):
        taking.release_connection()
        use.prepare()
        last = max(Event.objects.values_list("number", flat=True), default=0)

        accepted = _race(two_threads, taking.take, use.do, lead)

        numbers = dict(Event.objects.filter(number__gt=last).values_list("action", "number"))
        assert taking.act in numbers
        assert (use.act in numbers) == accepted
        assert numbers.get(use.act, 0) < numbers[taking.act], "accepted after the commit"
        outcomes[accepted] += 1
        # The one that came first starts later in the next round, so that the two keep colliding.
        lead += dice.uniform(0, 2 * STEP) * (1 if accepted else -1)
    assert outcomes[True] > 0
    assert outcomes[False] > 0


def _race(
    threads: ThreadPoolExecutor,
    take: Callable[[], object],
    use: Callable[[], object],
    lead: float,
) -> bool:
    """Run both, the use ``lead`` seconds after the taking; tell whether it was accepted."""
    start = threading.Barrier(2)

    def taker() -> None:
        start.wait()
        time.sleep(max(-lead, 0))
        take()

    def user() -> bool:
        start.wait()
        time.sleep(max(lead, 0))
        try:
            use()
        except NotAllowed:
            return False
        return True

    taken, used = threads.submit(taker), threads.submit(user)
    taken.result()
    return used.result()
