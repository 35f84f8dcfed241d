"""Read the text of a page."""

from __future__ import annotations

from django.http import HttpResponse


def text(response: HttpResponse) -> str:
    return " ".join(response.content.decode().split())
