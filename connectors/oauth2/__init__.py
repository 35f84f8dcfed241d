"""OAuth 2 as a client: authorization, token, refresh and revocation requests.

Two settings of oauthlib and requests-oauthlib are made here, before any module imports them.
"""

from __future__ import annotations

import logging
import os

# At DEBUG they log codes, tokens and client secrets.
for _name in ("requests_oauthlib", "oauthlib"):
    logging.getLogger(_name).setLevel(logging.INFO)

# oauthlib refuses plain http. Here `connectors/http/ssrf.py` decides: it allows http only for
# hosts in ALLOWED_PRIVATE_HOSTS, such as the sandbox.
os.environ.setdefault("OAUTHLIB_INSECURE_TRANSPORT", "1")
