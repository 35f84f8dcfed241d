"""Pages of other organizations are not found."""

from __future__ import annotations

import pytest
from django.urls import reverse

from console.choices import Role
from console.distribution.models import Share
from console.publishing.models import Installation


@pytest.mark.parametrize("role", [Role.ADMIN, Role.DEVELOPER, Role.USER])
def test_only_super_admins_reach_the_install_pages(
    role, share, listing, member, client_organization, signed_in
):
    row = share()
    browser = signed_in(member(client_organization, role, "other@client.example"))
    for method in ("get", "post"):
        assert getattr(browser, method)(reverse("share_install", args=[row.pk])).status_code == 404
        place = reverse("listing_install", args=[listing.application_id])
        assert getattr(browser, method)(place).status_code == 403
    assert not Installation.objects.exists()


def test_pages_of_other_organizations_are_not_found(
    installed, signed_in, stranger, stranger_organization
):
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
