"""Rows for measured calls, and the hand-written proxy; each runs in its own process."""

from __future__ import annotations

import json
import os
from typing import Any

SECRET = {"access_token": "a" * 40, "refresh_token": "r" * 40}
#: What a developer without the console would write: a view that reads a token and calls.
BY_HAND = """
import os, sqlite3
from django.conf import settings
settings.configure(ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__, SECRET_KEY="by hand", DATABASES={
    "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.environ["BY_HAND"],
                "CONN_MAX_AGE": 60}})
import django
django.setup()
from django.db import connection
from django.http import HttpResponse
from django.urls import path
from django.core.wsgi import get_wsgi_application
from requests_oauthlib import OAuth2Session

def call(request):
    with connection.cursor() as cursor:
        cursor.execute("SELECT access_token, token_type FROM token WHERE id = 1")
        access_token, token_type = cursor.fetchone()
    token = {"access_token": access_token, "token_type": token_type}
    with OAuth2Session("client", token=token) as session:
        answer = session.get(os.environ["UPSTREAM"], timeout=10)
    return HttpResponse(answer.content, status=answer.status_code,
                        content_type=answer.headers["Content-Type"])

urlpatterns = [path("call", call)]
application = get_wsgi_application()
"""


def fill(environment: dict[str, str], connectors: dict[str, str]) -> str:
    """Create an application with an authorized connection for each link name; return an API key.

    Each has a function, ``run_<link name>``, which calls the path in its input.
    """
    os.environ.update(environment)
    import django

    django.setup()
    from django.core.management import call_command

    from connections.models import Authorization, Connection, Credential
    from console.accounts.models import Membership, Organization, User
    from console.applications.models import Application
    from console.choices import Role
    from console.components import saving
    from console.components.models import Component
    from console.keys.issuing import create_key

    call_command("migrate", verbosity=0)
    organization = Organization.objects.create(name="Callers", slug="callers")
    user = User.objects.create_user("caller@callers.example")
    Membership.objects.create(user=user, organization=organization, role=Role.SUPER_ADMIN)
    application = Application.objects.create(
        organization=organization, name="Called", link_name="called"
    )
    for link_name, slug in connectors.items():
        fields: dict[str, Any] = {"connector_slug": slug, "auth_type": "api_key"}
        connection = Connection.objects.create(
            application=application,
            name=link_name.title(),
            link_name=link_name,
            status=Connection.Status.CREATED,
            created_by=user,
            **fields,
        )
        credential = Credential.objects.create(
            organization=organization, label=link_name, secret={"key": "k" * 40}, **fields
        )
        Authorization.objects.create(
            connection=connection,
            organization=organization,
            environment="all",
            authorized_by=user,
            credential=credential,
        )
        call = {"connection": link_name, "path": "/{{ input.path }}"}
        saving.create(
            Component(
                application=application,
                kind="function",
                name=f"Run {link_name}",
                definition=json.dumps({"calls": [call]}),
            ),
            user,
        )
    return create_key(application, organization, "development", user, "Measured")[1]
