"""The sandbox: a sample service to connect to, run by a made-up company called Sandbox.

It is a separate Django project with its own users, database and OAuth 2 server. The console
calls it over HTTP only and never imports it. It is not used in production. ::

    python -m sandbox prepare
    python -m sandbox register --client-id ID --client-secret-file FILE --redirect-uri …
    python -m sandbox serve
"""
