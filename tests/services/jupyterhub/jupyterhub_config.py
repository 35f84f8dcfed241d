"""JupyterHub with this console as a service, and without notebook servers.

It takes HUB_URL, HUB_ADDRESS, PROXY_API, CLIENT_ID, CLIENT_SECRET, REDIRECT_URI, SCOPES (JSON)
and the two passwords from the environment.
"""

import json
import os

SERVICE = "developer-console"

c = get_config()  # noqa: F821  # JupyterHub puts it here

c.JupyterHub.bind_url = os.environ["HUB_URL"]
c.JupyterHub.hub_bind_url = os.environ["HUB_ADDRESS"]
c.JupyterHub.db_url = "sqlite:///hub.sqlite3"
# The hub would start its proxy as a daemon, which outlives a hub that is killed.
c.ConfigurableHTTPProxy.should_start = False
c.ConfigurableHTTPProxy.api_url = os.environ["PROXY_API"]

c.JupyterHub.authenticator_class = "shared-password"
c.SharedPasswordAuthenticator.user_password = os.environ["USER_PASSWORD"]
c.SharedPasswordAuthenticator.admin_password = os.environ["ADMIN_PASSWORD"]
c.Authenticator.allowed_users = {"carol"}
c.Authenticator.admin_users = {"ada"}
c.JupyterHub.spawner_class = "simple"

c.JupyterHub.oauth_require_pkce = True
c.JupyterHub.services = [
    {
        "name": SERVICE,
        "oauth_client_id": os.environ["CLIENT_ID"],
        "api_token": os.environ["CLIENT_SECRET"],
        "oauth_redirect_uri": os.environ["REDIRECT_URI"],
        "oauth_client_allowed_scopes": json.loads(os.environ["SCOPES"]),
        "oauth_no_confirm": False,
    }
]
# Without the second scope only administrators of the hub can authorize the console.
c.JupyterHub.load_roles = [
    {"name": "user", "scopes": ["self", f"access:services!service={SERVICE}"]}
]
