"""Components of an application, and their references to connections."""

from __future__ import annotations

import uuid
from typing import Any

from django.conf import settings
from django.db import models
from django.urls import reverse

from console.accounts.policy import Action
from console.applications.models import LINK_NAME, Application
from console.choices import ComponentKind
from console.names import NameField


class ComponentQuerySet(models.QuerySet["Component"]):
    def allowing(self, user: Any, action: Action) -> ComponentQuerySet:
        """Return the components of the applications in which the person may do this."""
        return self.filter(application__in=Application.objects.allowing(user, action))


class Component(models.Model):
    """A component of an application, as it is in Development.

    ``definition`` is JSON exactly as the developer typed it, with spaces and the order of keys;
    ``definitions.py`` describes it. ``version`` is incremented by every change, so that a second
    tab does not overwrite the first.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    application = models.ForeignKey(Application, models.CASCADE, related_name="components")
    kind = models.CharField(max_length=10, choices=ComponentKind.choices)
    name = NameField("Name", max_length=100)
    #: Programs and workflows call it by this name, so it never changes.
    link_name = models.CharField(max_length=60, validators=[LINK_NAME])
    definition = models.TextField("Definition")
    version = models.PositiveIntegerField(default=1)
    updated_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = ComponentQuerySet.as_manager()

    class Meta:
        ordering = ["link_name"]
        constraints = [
            models.UniqueConstraint(
                fields=["application", "link_name"], name="component_link_name_in_application"
            )
        ]
        indexes = [
            models.Index(fields=["application", "updated_at", "id"], name="component_by_change")
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("component_detail", args=[self.pk])

    @property
    def is_runnable(self) -> bool:
        """Return whether the console can run it."""
        return self.kind in (ComponentKind.FUNCTION, ComponentKind.WORKFLOW)


class Reference(models.Model):
    """A component's use of a connection, derived from its definition when it is saved."""

    component = models.ForeignKey(Component, models.CASCADE, related_name="references")
    connection = models.ForeignKey(
        "connections.Connection", models.RESTRICT, related_name="references"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["component", "connection"], name="one_reference_each")
        ]

    def __str__(self) -> str:
        return f"{self.component} uses {self.connection}"
