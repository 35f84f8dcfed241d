"""Store the OAuth client that a service has issued for this console."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from connections.models import OAuthClient
from connections.models.oauth_client import FIRST_NAME, client_reference
from connections.oauth_clients import registering
from connections.oauth_clients.forms import OAuthClientForm
from connectors.definitions.registry import UnknownConnector, get_connector
from connectors.definitions.typed_parameter import NotAParameter, typed_host
from console.accounts.models import Organization


class Command(BaseCommand):
    help = "Register an OAuth client for a connector, or replace the secret of a registered one."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("connector")
        parser.add_argument(
            "--host", default="", help="The host, for a service that you host yourself."
        )
        parser.add_argument(
            "--organization", default="", help="The slug; by default the client serves all of them."
        )
        parser.add_argument(
            "--name", help="For several clients of the same service; by default, the default one."
        )
        parser.add_argument("--client-id", required=True)
        parser.add_argument("--client-secret-file", type=Path, help="Omit it for a public client.")

    def handle(self, *args: Any, **options: Any) -> None:
        slug, host = options["connector"], options["host"]
        with suppress(UnknownConnector, NotAParameter):  # the form reports what is wrong
            host = typed_host(host, get_connector(slug))
        organization = None
        if options["organization"]:
            organization = Organization.objects.filter(slug=options["organization"]).first()
            if organization is None:
                raise CommandError(f"There is no organization {options['organization']}.")
        secret = ""
        if path := options["client_secret_file"]:
            try:
                secret = path.read_text(encoding="utf-8")
            except OSError as error:
                raise CommandError(f"{path} cannot be read: {error.strerror}.") from error
            except UnicodeDecodeError:
                raise CommandError(f"{path} is not UTF-8 text. Save it as UTF-8.") from None
        registered = OAuthClient.objects.filter(
            reference=client_reference(slug, organization, host=host)
        )
        name = options["name"]
        named = registered.filter(name__iexact=name) if name else registered
        client = named.order_by("-is_default").first()
        data = {
            "connector_slug": slug,
            "name": name or (client.name if client else FIRST_NAME),
            "organization": organization.pk if organization else None,
            "host": host,
            "client_id": options["client_id"],
            "new_client_secret": secret,
        }
        form = OAuthClientForm(data, instance=client)
        if not form.is_valid():
            raise CommandError(
                " ".join(str(message) for errors in form.errors.values() for message in errors)
            )
        save = registering.change if client else registering.register
        client = save(form, None)
        self.stdout.write(f"Registered. redirect_uri: {client.redirect_uri}")
