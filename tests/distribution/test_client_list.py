"""List clients, invitations and shares."""

from __future__ import annotations

from django.urls import reverse

from tests.distribution.page_text import text


def test_a_developer_with_the_right_sees_clients_but_cannot_manage_them(
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
