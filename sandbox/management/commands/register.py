from __future__ import annotations

from pathlib import Path
from typing import Any

from django.contrib.auth.hashers import check_password
from django.core.exceptions import ValidationError
from django.core.management import BaseCommand, CommandError, CommandParser
from oauth2_provider.models import Application


class Command(BaseCommand):
    help = "Add an OAuth client, or change the one with this client ID."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--client-id", required=True)
        parser.add_argument("--client-secret-file", type=Path, help="not with --public")
        parser.add_argument("--redirect-uri", required=True, action="append", dest="redirect_uris")
        parser.add_argument("--name", help="the name on the consent page")
        parser.add_argument("--public", action="store_true", help="a client without a secret")

    def handle(self, *args: Any, **options: Any) -> None:
        application = Application.objects.filter(client_id=options["client_id"]).first()
        application = application or Application(client_id=options["client_id"])
        application.authorization_grant_type = Application.GRANT_AUTHORIZATION_CODE
        application.redirect_uris = _joined(options["redirect_uris"])
        application.name = options["name"] or application.name or options["client_id"]
        if options["public"]:
            application.client_type = Application.CLIENT_PUBLIC
        else:
            application.client_type = Application.CLIENT_CONFIDENTIAL
            secret = _secret(options["client_secret_file"])
            if not check_password(secret, application.client_secret):
                application.client_secret = secret
        try:
            application.full_clean()
        except ValidationError as error:
            raise CommandError("; ".join(error.messages)) from error
        application.save()
        self.stdout.write(f"Registered {application.name} as {application.client_id}.")


def _joined(redirect_uris: list[str]) -> str:
    for uri in redirect_uris:
        if not uri or uri.split() != [uri]:
            raise CommandError(f"A redirect URI cannot contain spaces: {uri!r}.")
    return " ".join(redirect_uris)


def _secret(path: Path | None) -> str:
    if path is None:
        raise CommandError("Use --client-secret-file, or --public for a client without a secret.")
    try:
        secret = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeError) as error:
        raise CommandError(f"The client secret cannot be read from {path}.") from error
    if not secret:
        raise CommandError(f"The file {path} is empty.")
    return secret
