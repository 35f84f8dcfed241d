from __future__ import annotations

import pytest
from django.urls import reverse

from console.choices import Role
from console.saved_filters.models import MOST_FILTERS, SavedFilter
from tests.connections.flow_steps import words_of

LIST = reverse("connection_list")
ADDRESS = reverse("saved_filter_create")


def save(client, name: str = "Mine", query: str = "status=draft&before=x&q=", path: str = LIST):
    return client.post(ADDRESS, {"name": name, "query": query, "path": path}, follow=True)


def test_it_is_saved_shown_renamed_and_deleted(developer_client, connect):
    connect(name="A draft", status="draft", link_name="")
    page = developer_client.get(f"{LIST}?status=draft")
    assert "Save this filter" in words_of(page)
    response = save(developer_client)
    row = SavedFilter.objects.get()
    assert row.query == "status=draft"
    assert response.redirect_chain[-1][0] == f"{LIST}?status=draft"
    assert 'aria-current="true">Mine<' in response.content.decode()
    assert "Save this filter" not in words_of(response)

    edit = reverse("saved_filter_edit", args=[row.pk])
    assert developer_client.post(edit, {"name": ""}).status_code == 422
    assert developer_client.post(edit, {"name": "Drafts"}).status_code == 303
    assert "Drafts" in words_of(developer_client.get(LIST))
    deleted = developer_client.post(reverse("saved_filter_delete", args=[row.pk]))
    assert deleted.url == LIST
    assert not SavedFilter.objects.exists()


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"name": "MINE", "query": "q=b"}, "already have a filter"),
        ({"name": "", "query": "q=b"}, "required"),
        ({"name": "x" * 41, "query": "q=b"}, "at most 40"),
        ({"name": "Empty", "query": "before=x&q="}, "Choose a filter first"),
        ({"name": "Long", "query": "q=" + "x" * 1100}, "at most 1000"),
        ({"name": "Elsewhere", "query": "q=b", "path": "/"}, "cannot be saved"),
        ({"name": "Outside", "query": "q=b", "path": "//evil.example/"}, "cannot be saved"),
    ],
)
def test_what_is_not_valid_is_refused(developer_client, fields, words):
    save(developer_client, query="q=a")
    response = save(developer_client, **fields)
    assert words in words_of(response)
    assert SavedFilter.objects.count() == 1


def test_a_list_has_a_limited_number(developer_client):
    for n in range(MOST_FILTERS):
        save(developer_client, f"Filter {n}", f"q={n}")
    assert f"at most {MOST_FILTERS}" in words_of(save(developer_client, "One more", "q=more"))
    assert SavedFilter.objects.count() == MOST_FILTERS


def test_they_belong_to_one_person_and_one_list(developer_client, signed_in, member, studio):
    save(developer_client, query="q=a")
    colleague = signed_in(member(studio, Role.DEVELOPER, "colleague@studio.example"))
    assert "Mine" not in words_of(colleague.get(LIST))
    row = SavedFilter.objects.get()
    for name in ("saved_filter_edit", "saved_filter_delete"):
        assert colleague.post(reverse(name, args=[row.pk])).status_code == 404
    events = reverse("event_list")
    save(developer_client, query="q=a", path=events)
    assert SavedFilter.objects.filter(path=events).count() == 1
