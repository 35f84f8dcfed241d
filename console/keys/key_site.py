"""The organization that manages keys of an application: its developer, or a client."""

from __future__ import annotations

from dataclasses import dataclass

from django.urls import reverse

from console.accounts.models import Organization
from console.accounts.policy import Action
from console.applications.models import Application
from console.choices import Environment
from console.keys.models import ApiKey, ApiKeyQuerySet
from console.publishing.models import Installation

#: The environments in the organization that builds an application.
OWN_ENVIRONMENTS = (Environment.DEVELOPMENT, Environment.STAGE)


@dataclass(frozen=True, kw_only=True)
class KeySite:
    """An application in one organization, and the environments in which it runs there."""

    application: Application
    organization: Organization
    environments: tuple[Environment, ...]
    installation: Installation | None = None

    @property
    def keys(self) -> ApiKeyQuerySet:
        """Return its keys, including revoked ones."""
        return ApiKey.objects.filter(
            application=self.application,
            organization=self.organization,
            environment__in=self.environments,
        )

    @property
    def url(self) -> str:
        """Return the page of the application or installation."""
        if self.installation:
            return reverse("installation_detail", args=[self.installation.pk])
        return self.application.get_absolute_url()

    @property
    def keys_url(self) -> str:
        if self.installation:
            return reverse("installation_keys", args=[self.installation.pk])
        return reverse("key_list", args=[self.application.pk])

    @property
    def revoke_route(self) -> str:
        return "installation_key_revoke" if self.installation else "key_revoke"

    @property
    def has_ended(self) -> bool:
        """Tell whether the license has ended, so that no keys can be created."""
        return self.installation is not None and self.installation.has_ended


def application_site(application: Application) -> KeySite:
    """Return the site of the organization that builds an application."""
    return KeySite(
        application=application,
        organization=application.organization,
        environments=OWN_ENVIRONMENTS,
    )


def installation_site(installation: Installation) -> KeySite:
    """Return the site of a client that has installed an application."""
    return KeySite(
        application=installation.application,
        organization=installation.organization,
        environments=(Environment.PRODUCTION,),
        installation=installation,
    )


def action_in(environment: str) -> Action:
    """Return the permission that creating and revoking keys there requires."""
    return Action.MANAGE_KEYS if environment in OWN_ENVIRONMENTS else Action.MANAGE_INSTALLATIONS
