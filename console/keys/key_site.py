"""Where keys of an application are made and shown: where it is built, or where it is installed."""

from __future__ import annotations

from dataclasses import dataclass

from django.urls import reverse

from console.accounts.models import Organization
from console.accounts.policy import Action
from console.applications.models import Application
from console.choices import Environment
from console.keys.models import ApiKey, ApiKeyQuerySet
from console.publishing.models import Installation

#: The environments of an application at home.
AT_HOME = (Environment.DEVELOPMENT, Environment.STAGE)


@dataclass(frozen=True, kw_only=True)
class KeySite:
    """An application in one organization, and the environments in which it runs there."""

    application: Application
    organization: Organization
    environments: tuple[Environment, ...]
    installation: Installation | None = None

    @property
    def keys(self) -> ApiKeyQuerySet:
        """Return its keys, with the revoked ones."""
        return ApiKey.objects.filter(
            application=self.application,
            organization=self.organization,
            environment__in=self.environments,
        )

    @property
    def url(self) -> str:
        """Return the page of the application there."""
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
        """Tell whether nothing runs there any more: no key can be made."""
        return self.installation is not None and self.installation.has_ended


def at_home(application: Application) -> KeySite:
    """Return where an application is built."""
    return KeySite(
        application=application, organization=application.organization, environments=AT_HOME
    )


def at_client(installation: Installation) -> KeySite:
    """Return where an application is installed."""
    return KeySite(
        application=installation.application,
        organization=installation.organization,
        environments=(Environment.PRODUCTION,),
        installation=installation,
    )


def action_in(environment: str) -> Action:
    """Name what somebody must be allowed in the organization to make and revoke keys there."""
    return Action.MANAGE_KEYS if environment in AT_HOME else Action.MANAGE_INSTALLATIONS
