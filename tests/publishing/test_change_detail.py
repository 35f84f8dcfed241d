"""Show the diff of one component or connection."""

from __future__ import annotations

from django.urls import reverse


def test_it_shows_the_diff_line_by_line(developer_client, application, two, publish, edit):
    publish("find_people")
    edit(two["find"], {"calls": [], "description": "Nothing <b>yet</b>"})
    address = reverse("change_detail", args=[application.pk, "components", "find_people"])
    page = developer_client.get(address).content.decode()
    assert "<ins>+     &quot;description&quot;: &quot;Nothing &lt;b&gt;yet&lt;/b&gt;" in page
    assert "<del>" in page
    part = developer_client.get(address, headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in part
    assert "<ins>" in part


def test_an_unchanged_component_is_not_found(developer_client, application, two, publish):
    publish("find_people")
    for what, name in (
        ("components", "find_people"),
        ("components", "nobody"),
        ("nonsense", "find_people"),
    ):
        address = reverse("change_detail", args=[application.pk, what, name])
        assert developer_client.get(address).status_code == 404
