"""The navigation marks the item to which a page belongs."""

from __future__ import annotations

import pytest
from django.urls import reverse


@pytest.mark.parametrize(
    ("route", "item"),
    [
        ("home", "Home"),
        ("application_detail", "Applications"),
        ("component_list", "Applications"),
        ("key_list", "Applications"),
        ("connection_list", "Microservices"),
        ("client_list", "Clients"),
        ("share_create", "Clients"),
        ("listing_edit", "Clients"),
        ("health_list", "Health"),
        ("security", ""),
    ],
)
def test_one_item_is_current(signed_in, super_admin, application, route, item):
    if route == "application_detail":
        url = application.get_absolute_url()
    else:
        in_application = {"component_list", "key_list", "share_create", "listing_edit"}
        url = reverse(route, args=[application.pk] if route in in_application else [])
    navigation = signed_in(super_admin).get(url).context["navigation"]
    assert [each.label for each in navigation if each.current] == ([item] if item else [])
