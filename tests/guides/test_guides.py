from __future__ import annotations

import re

import pytest
from django.urls import reverse

from console.guides.guide_pages import SLUGS, get_guides


@pytest.mark.parametrize("slug", SLUGS)
def test_each_guide_is_a_page_whose_links_exist(developer_client, slug):
    page = developer_client.get(reverse("guide_detail", args=[slug])).content.decode()
    article = page[page.index('class="guide"') :]
    anchors = set(re.findall(r'id="([^"]+)"', article))
    for href in re.findall(r'href="([^"]+)"', article.partition("</article>")[0]):
        if href.startswith("#"):
            assert href[1:] in anchors
        elif not href.startswith("http"):
            other, _, anchor = href.removeprefix("../").partition("/")
            assert other in SLUGS
            sections = {section.anchor for section in get_guides()[other].sections}
            assert anchor.removeprefix("#") in {*sections, ""}


def test_the_list_names_them_all(developer_client):
    page = developer_client.get(reverse("guide_list")).content.decode()
    for guide in get_guides().values():
        assert guide.title in page
    assert "<script" not in "".join(guide.html for guide in get_guides().values())


def test_an_unknown_guide_is_missing(developer_client):
    assert developer_client.get("/guides/absent/").status_code == 404
