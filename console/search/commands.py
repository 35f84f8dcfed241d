"""Pages and actions that a person may reach by name, on the search page and in the palette."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.urls import reverse

from connectors.definitions.search import similar_words
from console.accounts.active_organization import active_roles
from console.accounts.http import SignedInRequest
from console.accounts.policy import ALLOWED, RULES, Action
from console.applications.models import Application
from console.search.search_result import SearchResult, rank

Condition = Callable[[SignedInRequest], bool]


@dataclass(frozen=True, kw_only=True)
class Command:
    """A page to open, or an action. The route's rule in the policy decides who may use it."""

    title: str
    icon: str
    route: str = ""
    fragment: str = ""
    #: Other words for it.
    words: str = ""
    #: For routes that are open to more people than the command is for.
    action: Action | None = None
    condition: Condition | None = None
    is_action: bool = False
    is_post: bool = False
    theme: str = ""
    arguments: Sequence[Any] = field(default_factory=tuple)

    def is_for(self, request: SignedInRequest) -> bool:
        """Tell whether the person may use it."""
        roles = active_roles(request)
        rule = RULES.get(self.route) or RULES.get(self.route.partition(":")[0])
        if rule and not rule.allows(roles, operator=request.user.is_superuser):
            return False
        if self.action and ALLOWED[self.action].isdisjoint(roles):
            return False
        return self.condition is None or self.condition(request)

    @property
    def result(self) -> SearchResult:
        url = reverse(self.route, args=self.arguments) + self.fragment if self.route else ""
        return SearchResult(
            title=self.title, url=url, icon=self.icon, is_post=self.is_post, theme=self.theme
        )


def _ships(request: SignedInRequest) -> bool:
    """Tell whether the list of clients is in the person's navigation."""
    user = request.user
    return (
        user.may(Action.MANAGE_CLIENTS)
        or Application.objects.allowing(user, Action.DISTRIBUTE).exists()
    )


PAGES = (
    Command(title="Home", icon="home", route="home", words="dashboard start"),
    Command(title="Applications", icon="apps", route="application_list"),
    Command(title="Microservices", icon="plug", route="connection_list", words="connections"),
    Command(title="Clients", icon="users", route="client_list", condition=_ships),
    Command(title="Installed", icon="download", route="installation_list", words="applications"),
    Command(title="Health", icon="heartbeat", route="health_list", words="problems broken"),
    Command(title="Marketplace", icon="building-store", route="marketplace", words="install"),
    Command(
        title="Reviews", icon="building-store", route="review_list", words="marketplace listings"
    ),
    Command(title="Activity", icon="history", route="event_list", words="audit log events"),
    Command(
        title="Administration", icon="settings", route="admin:index", words="settings admin roles"
    ),
    Command(
        title="People",
        icon="users",
        route="person_list",
        words="roles members colleagues deactivate",
        action=Action.MANAGE_PEOPLE,
    ),
    Command(
        title="Invitations",
        icon="users",
        route="member_invitations",
        words="invite colleague",
        action=Action.MANAGE_PEOPLE,
    ),
    Command(
        title="OAuth clients",
        icon="key",
        route="oauth_client_list",
        words="client id secret redirect uri register",
        action=Action.MANAGE_OAUTH_CLIENTS,
    ),
    Command(
        title="Security",
        icon="shield-lock",
        route="security",
        words="settings second factor passkeys two-factor recovery codes sessions account",
    ),
    Command(
        title="Change your password",
        icon="key",
        route="account_change_password",
        words="settings security account",
    ),
    Command(
        title="E-mail addresses",
        icon="user",
        route="account_email",
        words="settings account email",
    ),
    Command(
        title="Sessions",
        icon="device-desktop",
        route="usersessions_list",
        words="settings browsers signed in",
    ),
    Command(title="Guides", icon="book", route="guide_list", words="documentation docs help"),
    Command(
        title="API reference",
        icon="code",
        route="api_reference",
        words="documentation openapi runtime rest",
    ),
)
ACTIONS = (
    Command(
        title="Create a connection",
        icon="plus",
        route="connector_list",
        words="new microservice add service",
        is_action=True,
    ),
    Command(
        title="Create an application",
        icon="plus",
        route="application_create",
        words="new add",
        action=Action.CREATE_APPLICATIONS,
        is_action=True,
    ),
    Command(
        title="Import an application",
        icon="upload",
        route="application_import",
        words="upload file",
        is_action=True,
    ),
    Command(
        title="Invite a colleague",
        icon="plus",
        route="member_invitations",
        words="person people add user",
        action=Action.MANAGE_PEOPLE,
        is_action=True,
    ),
    Command(
        title="Invite a client",
        icon="plus",
        route="client_list",
        fragment="#invite",
        words="organization add",
        action=Action.MANAGE_CLIENTS,
        is_action=True,
    ),
    Command(
        title="Register an OAuth client",
        icon="plus",
        route="oauth_client_services",
        words="client id secret add",
        action=Action.MANAGE_OAUTH_CLIENTS,
        is_action=True,
    ),
    Command(title="Theme: light", icon="sun", theme="light", words="color day", is_action=True),
    Command(title="Theme: dark", icon="moon", theme="dark", words="color night", is_action=True),
    Command(
        title="Theme: same as the system",
        icon="device-desktop",
        theme="system",
        words="color automatic",
        is_action=True,
    ),
    Command(
        title="Sign out",
        icon="logout",
        route="account_logout",
        words="log out leave",
        is_action=True,
        is_post=True,
    ),
)
#: How many applications the palette offers to publish.
MOST_TO_PUBLISH = 5


def find_pages(request: SignedInRequest, words: Sequence[str]) -> list[SearchResult]:
    """Return the pages and settings that match."""
    return list(_matching(request, PAGES, words))


def find_actions(request: SignedInRequest, words: Sequence[str]) -> list[SearchResult]:
    """Return the actions that match; *Publish* names each application with the right for it."""
    found = list(_matching(request, ACTIONS, words))
    named = [word for word in words if not any(w.startswith(word) for w in _PUBLISH)]
    if not words or len(named) == len(words):
        return found
    rows = Application.objects.allowing(request.user, Action.PUBLISH)
    for word in named:
        rows = rows.filter(name__icontains=word)
    return [
        *(
            SearchResult(
                title=f"Publish {application} to Stage",
                url=reverse("publish", args=[application.pk]),
                icon="rocket",
            )
            for application in rows.order_by("name")[:MOST_TO_PUBLISH]
        ),
        *found,
    ]


_PUBLISH = ("publish", "to", "stage", "release", "ship")


def _matching(
    request: SignedInRequest, commands: Sequence[Command], words: Sequence[str]
) -> Iterator[SearchResult]:
    found = [(rank(words, c.title, c.words) if words else 1, c) for c in commands]
    if not any(points for points, _ in found) and len(words) == 1:
        similar = similar_words(words[0], {text for c in commands for text in _terms(c)})
        found = [
            (sum(text.startswith(tuple(similar)) for text in _terms(c)) if similar else 0, c)
            for c in commands
        ]
    for points, command in sorted(found, key=lambda each: -each[0]):
        if points and command.is_for(request):
            yield command.result


def _terms(command: Command) -> list[str]:
    return f"{command.title} {command.words}".lower().split()
