"""The list of connections: filters that combine, and pages by keyset."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db import models
from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet
from django.forms.utils import flatatt
from django.http import QueryDict
from django.utils.html import format_html, format_html_join

from connections.models import Authorization, Connection
from connectors.definitions.registry import get_connectors
from console.accounts.policy import Action
from console.applications.models import Application
from console.pagination import Page, cut

PAGE_SIZE = 20


class ConnectionListStatus(models.TextChoices):
    """What the list can be narrowed to."""

    AUTHORIZED = "authorized", "Authorized"
    NOT_AUTHORIZED = "not_authorized", "Not authorized"
    DRAFT = "draft", "Draft"


class FlatSelect(forms.Select):
    """A select without groups, written at once: Django renders two templates for each option."""

    def _render(self, template_name: str, context: dict[str, Any], renderer: Any = None) -> Any:
        widget = context["widget"]
        options = (option for _, group, _ in widget["optgroups"] for option in group)
        return format_html(
            '<select name="{}"{}>{}</select>',
            widget["name"],
            flatatt(widget["attrs"]),
            format_html_join(
                "",
                '<option value="{}"{}>{}</option>',
                ((o["value"], flatatt(o["attrs"]), o["label"]) for o in options),
            ),
        )


class ConnectionFilterForm(forms.Form):
    """What the address of the list may say; anything else is left out of account."""

    q = forms.CharField(label="Search", required=False, max_length=100)
    status = forms.ChoiceField(
        label="Status",
        required=False,
        choices=[("", "Any"), *ConnectionListStatus.choices],
    )
    connector = forms.ChoiceField(label="Connector", required=False, widget=FlatSelect)
    application = forms.ChoiceField(label="Application", required=False, widget=FlatSelect)

    def __init__(self, data: Any, *, user: Any) -> None:
        super().__init__(data)
        self.user = user
        applications = list(
            Application.objects.allowing(user, Action.MANAGE_CONNECTIONS).values_list(
                "pk", "link_name", "name"
            )
        )
        self.fields["application"].choices = [  # type: ignore[attr-defined]
            ("", "Any"),
            *{link_name: name for _, link_name, name in applications}.items(),
        ]
        rows = Connection.objects.filter(application__in=[pk for pk, _, _ in applications])
        # Of hundreds of services only those that there is something of, and what was asked for.
        used = {*rows.values_list("connector_slug", flat=True).distinct().order_by()}
        used.add(self.data.get("connector", ""))
        self.fields["connector"].choices = [  # type: ignore[attr-defined]
            ("", "Any"),
            *((slug, c.name) for slug, c in get_connectors().items() if slug in used),
        ]

    def selects(self) -> list[forms.BoundField]:
        return [self[name] for name in ("status", "connector", "application")]

    def connections(self) -> QuerySet[Connection]:
        """Return the person's connections, narrowed by every filter that is valid."""
        self.is_valid()
        chosen = self.cleaned_data
        connections = Connection.objects.visible_to(self.user).filter(
            Q(status=Connection.Status.CREATED) | Q(created_by=self.user)
        )
        if words := chosen.get("q"):
            connections = connections.filter(
                Q(name__icontains=words)
                | Q(link_name__icontains=words)
                | Q(connector_slug__icontains=words)
                | Q(application__name__icontains=words)
            )
        if slug := chosen.get("connector"):
            connections = connections.filter(connector_slug=slug)
        if link_name := chosen.get("application"):
            connections = connections.filter(application__link_name=link_name)
        match chosen.get("status"):
            case ConnectionListStatus.DRAFT:
                connections = connections.drafts()
            case ConnectionListStatus.AUTHORIZED:
                connections = connections.created().filter(_authorized(self.user))
            case ConnectionListStatus.NOT_AUTHORIZED:
                connections = connections.created().exclude(_authorized(self.user))
        return connections

    def tags(self) -> list[dict[str, str]]:
        """List the filters in use, each with the query string that removes it."""
        tags = []
        for name, value in self.cleaned_data.items():
            if not value:
                continue
            rest = self.data.copy()  # type: ignore[attr-defined]
            for key in (name, "before", "after"):
                rest.pop(key, None)
            label = dict(getattr(self.fields[name], "choices", {})).get(value, str(value))
            tags.append(
                {"name": self.fields[name].label, "value": label, "query": rest.urlencode()}
            )
        return tags


def _authorized(user: Any) -> Q:
    """Match the connections whose every environment has a live authorization."""

    def live(environment: str) -> Exists:
        return Exists(
            Authorization.objects.filter(
                Q(user=None) | Q(user=user),
                connection=OuterRef("pk"),
                environment=environment,
                state=Authorization.State.ACTIVE,
            )
        )

    return Q(live("all"), separate_environments=False) | Q(
        live("development"), live("stage"), separate_environments=True
    )


def page_of(connections: QuerySet[Connection], user: Any, params: QueryDict) -> Page[Connection]:
    """Cut one page out of the list, with the authorizations that the person sees."""
    rows = _with_authorizations(connections, user)
    page = cut(rows, params, by="created_at", size=PAGE_SIZE)
    for row in page.rows:
        seen = {a.environment: a for a in row.seen_authorizations}  # type: ignore[attr-defined]
        row.places = [(place, seen.get(place)) for place in row.environments]  # type: ignore[attr-defined]
    return page


def _with_authorizations(rows: QuerySet[Connection], user: Any) -> QuerySet[Connection]:
    seen = (
        Authorization.objects.filter(Q(user=None) | Q(user=user))
        .exclude(environment="production")
        .select_related("credential")
        .defer("credential__secret", "credential__journal")
        .order_by("environment")
    )
    return rows.select_related("application").prefetch_related(
        "released", Prefetch("authorizations", seen, to_attr="seen_authorizations")
    )
