from __future__ import annotations

import requests

from tests.servers import SandboxServer


def test_it_lists_the_endpoints(sandbox: SandboxServer) -> None:
    answer = requests.get(sandbox.url + "/.well-known/oauth-authorization-server", timeout=10)
    document = answer.json()
    assert document["issuer"] == sandbox.url
    assert document["authorization_endpoint"] == sandbox.url + "/oauth/authorize/"
    assert document["token_endpoint"] == sandbox.url + "/oauth/token/"
    assert document["revocation_endpoint"] == sandbox.url + "/oauth/revoke/"
    assert document["code_challenge_methods_supported"] == ["S256"]
    assert document["authorization_response_iss_parameter_supported"] is True
