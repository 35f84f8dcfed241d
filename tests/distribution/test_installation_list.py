"""List installed applications."""

from __future__ import annotations

from django.urls import reverse


def test_it_takes_a_limited_number_of_queries(
    installed, signed_in, boss, django_assert_max_num_queries
):
    installed()
    browser = signed_in(boss)
    browser.get(reverse("installation_list"))
    with django_assert_max_num_queries(13):
        browser.get(reverse("installation_list"))
