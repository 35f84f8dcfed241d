"""What the page of activity can be narrowed to; the filters stand in the address."""

from __future__ import annotations

import uuid
from datetime import date, datetime, time, timedelta
from typing import Any

from django import forms
from django.db.models import Q
from django.utils import timezone

from console.accounts.models import Organization
from console.accounts.policy import Action
from console.audit.actions import BUILT, AuditAction
from console.audit.models import Event, EventQuerySet
from console.audit.sentences import act_label

PAGE_SIZE = 30
#: What a developer's events begin with.
_OF_BUILT = ("authorization", *BUILT)


def _words(label: str, placeholder: str, *, max_length: int) -> forms.CharField:
    box = forms.TextInput(attrs={"placeholder": placeholder, "autocomplete": "off"})
    return forms.CharField(label=label, required=False, max_length=max_length, widget=box)


class EventFilterForm(forms.Form):
    """What the address may say; anything else is left out of account."""

    who = _words("Who", "E-mail address", max_length=254)
    what = forms.ChoiceField(label="What", required=False)
    object = _words("Object", "Name", max_length=200)

    def __init__(self, data: Any, *, user: Any) -> None:
        super().__init__(data)
        self.user = user
        for name in ("from", "to"):  # the first is no name that a class may give
            box = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
            self.fields[name] = forms.DateField(
                label=name.capitalize(), required=False, widget=box, input_formats=["%Y-%m-%d"]
            )
        people = Organization.objects.allowing(user, Action.READ_AUDIT_OF_PEOPLE).exists()
        whole = people or user.is_superuser
        acts = [act for act in AuditAction if whole or act.partition(".")[0] in _OF_BUILT]
        choices = sorted((str(act), act_label(act)) for act in acts)
        self.fields["what"].choices = [("", "Anything"), *choices]  # type: ignore[attr-defined]

    def boxes(self) -> list[forms.BoundField]:
        """Give the fields in the order of a sentence."""
        return [self[name] for name in ("who", "what", "object", "from", "to")]

    def events(self) -> EventQuerySet:
        """Return what the person may read, narrowed by every filter that is valid."""
        self.is_valid()
        chosen = self.cleaned_data
        events = Event.objects.visible_to(self.user)
        if who := chosen.get("who"):
            events = events.filter(actor_email__icontains=who)
        if what := chosen.get("what"):
            events = events.filter(action=what)
        if words := chosen.get("object"):
            is_key = _is_key(words)
            events = events.filter(
                Q(object_id=words.lower()) if is_key else Q(object_label__icontains=words)
            )
        if first := chosen.get("from"):
            events = events.filter(at__gte=_midnight(first))
        if (last := chosen.get("to")) and last < date.max:
            events = events.filter(at__lt=_midnight(last + timedelta(days=1)))
        return events

    def tags(self) -> list[dict[str, str]]:
        """List the filters in use, each with the query string that removes it."""
        tags = []
        for box in self.boxes():
            value = self.cleaned_data.get(box.name)
            if not value:
                continue
            rest = self.data.copy()  # type: ignore[attr-defined]
            for key in (box.name, "before", "after"):
                rest.pop(key, None)
            label = dict(getattr(box.field, "choices", {})).get(value, str(value))
            if box.name == "object" and _is_key(label):
                label = self._label_of(label)
            tags.append({"name": box.label, "value": label, "query": rest.urlencode()})
        return tags

    def query(self) -> str:
        """Return the filters as they stand in an address, without the page."""
        rest = self.data.copy()  # type: ignore[attr-defined]
        for key in ("before", "after"):
            rest.pop(key, None)
        return rest.urlencode()

    def _label_of(self, key: str) -> str:
        """Name an object by what it was called last; a key that nobody may see stays a key."""
        event = Event.objects.visible_to(self.user).filter(object_id=key.lower()).first()
        return event.object_label if event else key


def _is_key(words: str) -> bool:
    try:
        return str(uuid.UUID(words)) == words.lower()
    except ValueError:
        return False


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))
