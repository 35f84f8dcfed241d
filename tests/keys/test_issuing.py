from __future__ import annotations

import pytest

from console.applications.models import Application
from console.keys.issuing import NotRunningThere, TooManyKeys, create_key, revoke_key
from console.keys.models import ApiKey


def test_its_text_is_kept_nowhere(key_of):
    key, text = key_of()
    secret = text.rpartition("_")[2]
    row = ApiKey.objects.filter(pk=key.pk).values().get()
    assert secret[:20] not in str(row)
    assert len(row["digest"]) == 64


def test_it_allows_two_valid_keys_in_an_environment(key_of, developer):
    first, _ = key_of()
    key_of()
    with pytest.raises(
        TooManyKeys, match=r"^Field Service already has 2 valid keys in Development, "
    ):
        key_of()
    key_of("stage")  # another place
    revoke_key(first, developer)
    key_of()


def test_an_application_has_no_place_in_another_organization(
    application, developer, stranger_organization
):
    with pytest.raises(NotRunningThere):
        create_key(application, stranger_organization, "development", developer, "X")


@pytest.mark.parametrize("environment", ["production"])
def test_nothing_is_in_production_before_it_is_installed(
    application, studio, developer, environment
):
    with pytest.raises(NotRunningThere):
        create_key(application, studio, environment, developer, "X")
    assert not ApiKey.objects.exists()


def test_revoking_twice_keeps_the_first(key_of, developer, super_admin):
    key, _ = key_of()
    revoke_key(key, developer)
    before = ApiKey.objects.get()
    revoke_key(key, super_admin)
    after = ApiKey.objects.get()
    assert (after.revoked_at, after.revoked_by) == (before.revoked_at, developer)


@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_two_are_made(application, developer, at_once):
    def make():
        own = Application.objects.get(pk=application.pk)
        try:
            return create_key(own, own.organization, "development", developer, "X")[1]
        except TooManyKeys:
            return None

    made = [text for text in at_once(6, make) if text]
    assert len(made) == ApiKey.objects.count() == 2
