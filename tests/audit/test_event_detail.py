from __future__ import annotations

import uuid

from django.urls import reverse

from console.audit.models import Event
from tests.audit.world import membership_forms
from tests.connections.flow_steps import words_of


def test_it_works(signed_in, super_admin, studio, tell):
    event = tell(studio, "Messages", was="Letters", connections=["a", "b", "c"])
    words = words_of(signed_in(super_admin).get(event.get_absolute_url()))
    assert "The console changed the application Messages" in words
    assert "Event 1 of Studio" in words
    assert "Before Letters" in words
    assert "Connections a, b and c" in words
    assert event.hash in words
    assert event.previous_hash in words


def test_what_administration_changed_is_told_by_name(signed_in, operator, developer, studio):
    client = signed_in(operator)
    row = developer.memberships.get()
    client.post(
        reverse("admin:accounts_user_change", args=[developer.pk]),
        {
            "email": "new@studio.example",
            "is_superuser": "on",
            "is_active": "on",
            **membership_forms(
                {"id": row.pk, "user": developer.pk, "organization": studio.pk, "role": row.role},
                initial=1,
            ),
        },
    )
    assert Event.objects.get().details == {
        "fields": ["email", "is_superuser"],
        "was": "developer@studio.example",
        "is_superuser": True,
    }


def test_it_hides_from_strangers(signed_in, stranger, studio, tell):
    event = tell(studio)
    client = signed_in(stranger)
    hidden = client.get(event.get_absolute_url())
    absent = client.get(reverse("event_detail", args=[uuid.uuid4()]))
    assert hidden.status_code == absent.status_code == 404


def test_the_deployments_own_is_for_the_operator(signed_in, operator, super_admin, tell):
    event = tell(None)
    assert signed_in(super_admin).get(event.get_absolute_url()).status_code == 404
    words = words_of(signed_in(operator).get(event.get_absolute_url()))
    assert "Event 1 of the deployment" in words


def test_an_act_of_another_version_is_shown_too(signed_in, super_admin, studio, tell, by_hand):
    event = tell(studio)
    by_hand("UPDATE audit_event SET action = 'thing.unheard_of'")
    words = words_of(signed_in(super_admin).get(event.get_absolute_url()))
    assert "thing.unheard_of Thing" in words
