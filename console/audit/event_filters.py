"""Filters of the Activity page."""

from __future__ import annotations

import uuid
from datetime import date, datetime, time, timedelta
from typing import Any

from django import forms
from django.db.models import Q
from django.http import QueryDict
from django.utils import timezone

from console.accounts.policy import Action
from console.audit.actions import BUILT, AuditAction
from console.audit.models import Event, EventQuerySet
from console.audit.sentences import act_label
from console.filters import FilterForm

PAGE_SIZE = 30
#: The first part of the actions that developers can see.
_VISIBLE_TO_DEVELOPERS = ("authorization", *BUILT)


def _text_field(label: str, placeholder: str, *, max_length: int) -> forms.CharField:
    box = forms.TextInput(attrs={"placeholder": placeholder, "autocomplete": "off"})
    return forms.CharField(label=label, required=False, max_length=max_length, widget=box)


class EventFilterForm(FilterForm):
    """Filter events by person, action, object and day."""

    who = _text_field("Who", "E-mail address", max_length=254)
    what = forms.ChoiceField(label="What", required=False)
    object = _text_field("Object", "Name", max_length=200)

    def __init__(self, params: QueryDict, *, user: Any) -> None:
        super().__init__(params, user=user)
        for name in ("from", "to"):  # "from" is a keyword, so no class attribute can have its name
            box = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
            self.fields[name] = forms.DateField(
                label=name.capitalize(), required=False, widget=box, input_formats=["%Y-%m-%d"]
            )
        reads_people = user.may(Action.READ_AUDIT_OF_PEOPLE)
        reads_all = reads_people or user.is_superuser
        actions = [
            action
            for action in AuditAction
            if reads_all or action.partition(".")[0] in _VISIBLE_TO_DEVELOPERS
        ]
        choices = sorted((str(action), act_label(action)) for action in actions)
        self.set_choices("what", choices, empty="Anything")

    def events(self) -> EventQuerySet:
        """Return the events that the person may read, narrowed by the filters."""
        events = Event.objects.visible_to(self.user)
        if who := self.chosen.get("who"):
            events = events.filter(actor_email__icontains=who)
        if what := self.chosen.get("what"):
            events = events.filter(action=what)
        if words := self.chosen.get("object"):
            by_key, by_label = Q(object_id=words.lower()), Q(object_label__icontains=words)
            events = events.filter(by_key if _is_uuid(words) else by_label)
        if first := self.chosen.get("from"):
            events = events.filter(at__gte=_midnight(first))
        if (last := self.chosen.get("to")) and last < date.max:
            events = events.filter(at__lt=_midnight(last + timedelta(days=1)))
        return events

    def describe(self, name: str, value: Any) -> str:
        """Show an object that was chosen by its key with its latest name, if it is visible."""
        words = super().describe(name, value)
        if name == "object" and _is_uuid(words):
            events = Event.objects.visible_to(self.user)
            event = events.filter(object_id=words.lower()).first()
            return event.object_label if event else words
        return words


def _is_uuid(words: str) -> bool:
    try:
        return str(uuid.UUID(words)) == words.lower()
    except ValueError:
        return False


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))
