"""What answers of the API have to look like."""

from __future__ import annotations

from typing import Any

from django.conf import settings


def problem(response: Any, slug: str, status: int) -> dict[str, Any]:
    """Assert that an answer is this problem as RFC 9457 writes it, and return its document."""
    assert response.status_code == status, response.content
    assert response["Content-Type"] == "application/problem+json"
    assert response["Console-Problem"] == slug
    assert "no-store" in response["Cache-Control"]
    assert not response.cookies
    document = response.json()
    assert document["type"] == f"{settings.PUBLIC_URL}/problems/{slug}"
    assert document["status"] == status
    assert document["title"]
    assert document["detail"].endswith((".", "…"))
    return document
