"""A service of our own to connect to: an outside company called Sandbox.

It is a Django project of its own with its own people, database and OAuth 2 server; the
console knows it only by HTTP and never imports it. It is no part of production. ::

    python -m sandbox prepare
    python -m sandbox register --client-id ID --client-secret-file FILE --redirect-uri …
    python -m sandbox serve
"""
