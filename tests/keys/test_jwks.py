from __future__ import annotations

from console.keys.models import TokenKey


def test_anybody_reads_it_and_may_keep_it_for_a_while(db, client):
    response = client.get("/.well-known/jwks.json")
    assert response.status_code == 200
    assert response["Content-Type"] == "application/json"
    assert set(response["Cache-Control"].split(", ")) == {"public", "max-age=300"}
    assert not response.cookies
    (key,) = response.json()["keys"]
    assert set(key) == {"kty", "crv", "x", "y", "kid", "use", "alg"}
    assert key["kid"] == str(TokenKey.objects.get().pk)
    assert client.get("/.well-known/jwks.json").json() == response.json()
