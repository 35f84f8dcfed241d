"""Sessions are stored under a hash, which does not open them."""

from __future__ import annotations

import pytest
from allauth.usersessions.models import UserSession
from asgiref.sync import async_to_sync
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse

from console.signing_in.session_store import SessionStore, row_key


@pytest.fixture
def stored(db) -> SessionStore:
    store = SessionStore()
    store["who"] = "alice"
    store.save()
    return store


def test_rows_do_not_contain_the_session_key(developer, sign_in):
    client, _ = sign_in(developer)
    key = client.cookies["console"].value
    keys = [*Session.objects.values_list("pk", flat=True)]
    keys += UserSession.objects.values_list("session_key", flat=True)
    assert len(keys) == 2
    assert {row_key(key)} == set(keys)


def test_the_stored_hash_does_not_open_the_session(developer, sign_in):
    sign_in(developer)
    thief = Client()
    thief.cookies["console"] = Session.objects.get().pk
    assert thief.get(reverse("home")).status_code == 302


def test_a_session_is_found_by_its_key(stored):
    assert SessionStore(stored.session_key)["who"] == "alice"
    assert SessionStore().exists(stored.session_key)
    assert not SessionStore().exists(row_key(stored.session_key))


def test_a_session_that_is_saved_again_stays_one_row(stored):
    stored["who"] = "bob"
    stored.save()
    assert Session.objects.count() == 1
    assert SessionStore(stored.session_key)["who"] == "bob"


def test_cycling_the_key_leaves_no_old_row(stored):
    before = stored.session_key
    stored.cycle_key()
    assert SessionStore(stored.session_key)["who"] == "alice"
    assert SessionStore(before).is_empty() or "who" not in SessionStore(before)
    assert Session.objects.count() == 1


def test_flushing_deletes_the_row(stored):
    stored.flush()
    assert not Session.objects.exists()


def test_expired_sessions_do_not_work_and_are_cleared(stored):
    stored.set_expiry(-1)
    stored.save()
    assert "who" not in SessionStore(stored.session_key)
    SessionStore.clear_expired()
    assert not Session.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_asynchronous_code_finds_the_same_rows():
    async def walk() -> tuple[str, bool]:
        store = SessionStore()
        await store.aset("who", "alice")
        await store.asave()
        key = store.session_key
        found = await SessionStore(key).aget("who")
        await store.adelete(key)
        return found, await SessionStore().aexists(key)

    assert async_to_sync(walk)() == ("alice", False)


def test_a_new_password_keeps_this_browser_and_ends_the_others(developer, sign_in):
    here, _ = sign_in(developer)
    there, _ = sign_in(developer)
    new = "entirely-new-9"
    form = {"oldpassword": "pass-word-1", "password1": new, "password2": new}
    here.post(reverse("account_change_password"), form)
    assert "This browser" in here.get(reverse("security")).content.decode()
    assert there.get(reverse("home")).status_code == 302
    assert UserSession.objects.get().session_key == row_key(here.cookies["console"].value)
