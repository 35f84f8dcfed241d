from __future__ import annotations

from datetime import timedelta

import pytest
from allauth.account.internal.flows.password_reset import reset_password
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from console.accounts.models import Membership, User
from console.audit.actions import AuditAction
from console.audit.models import Event

LOGIN = reverse("account_login")


@pytest.fixture
def try_in(developer):
    def go(password: str = "wrong", email: str = "") -> Client:
        client = Client(raise_request_exception=False)
        client.post(LOGIN, {"login": email or developer.email, "password": password})
        return client

    return go


def test_each_organization_of_the_person_is_told(try_in, developer, stranger_organization):
    Membership.objects.create(user=developer, organization=stranger_organization, role="developer")
    try_in("pass-word-1")
    assert {event.organization.slug for event in Event.objects.all()} == {"studio", "elsewhere"}


def test_of_who_belongs_nowhere_the_deployment_is_told(try_in, operator):
    try_in("pass-word-1", operator.email)
    assert Event.objects.get().organization_id is None


def test_wrong_passwords_are_told_once_a_minute(try_in, developer):
    for _ in range(3):
        try_in()
    event = Event.objects.get()
    assert event.action == AuditAction.USER_SIGN_IN_FAILED
    assert (event.actor, event.object_id) == (None, str(developer.pk))


def test_after_a_minute_it_is_told_again(try_in, by_hand):
    try_in()
    earlier = timezone.now() - timedelta(seconds=61)
    by_hand("UPDATE audit_event SET at = %s", earlier)
    try_in()
    assert Event.objects.count() == 2


def test_what_was_typed_as_an_address_is_not_written_down(try_in):
    try_in("x", "a-password-in-the-wrong-box@studio.example")
    assert not Event.objects.exists()


def test_nobody_gets_in_unrecorded(try_in, break_log):
    break_log()
    client = try_in("pass-word-1")
    assert client.get(reverse("home")).status_code == 302


def test_nobody_is_signed_out_unrecorded(developer_client, break_log):
    break_log()
    developer_client.raise_request_exception = False
    assert developer_client.post(reverse("account_logout")).status_code == 503
    assert developer_client.get(reverse("home")).status_code == 200


def test_a_password_that_was_reset_is_told(developer):
    reset_password(developer, "another-pass-7")
    assert Event.objects.get().action == AuditAction.USER_PASSWORD_CHANGED
    assert User.objects.get(pk=developer.pk).check_password("another-pass-7")
