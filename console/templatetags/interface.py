"""Template tags for icons, logos, states, times and form controls."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, Protocol

from django import template
from django.contrib.staticfiles import finders
from django.forms.boundfield import BoundField, BoundWidget
from django.templatetags.static import static
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timesince, timeuntil

from connections.models.state_badge import STATES
from console.choices import Environment

register = template.Library()

SPRITE = "vendor/tabler-icons/sprite.svg"
LOGO_SIZES: Mapping[str, int] = {"sm": 24, "md": 32, "lg": 48}
#: Number of ``.logo-<n>`` colors in console.css.
TILE_COLORS = 8

CONTROL_CLASSES: Mapping[str, str] = {
    "select": "form-select",
    "flatselect": "form-select",
    "selectmultiple": "form-select",
    "checkbox": "form-check-input",
    "radio": "form-check-input",
}


class Service(Protocol):
    """Anything with a logo, such as a connector's definition."""

    slug: str
    name: str


class ShownAuthorization(Protocol):
    """An authorization whose ``display.facts`` holds the arguments of the tag ``state``."""

    @property
    def display(self) -> Any: ...


#: The same styles as in console.js.
MOMENT_STYLES: Mapping[str, str] = {
    "date": "j M",
    "time": "H:i",
    "date-time": "j M, H:i",
    "exact": "j F Y, H:i:s e",
}

KIND_ICONS: Mapping[str, str] = {
    "form": "forms",
    "report": "report",
    "page": "layout",
    "workflow": "sitemap",
    "function": "function",
}


@register.simple_tag
def icon(name: str, *, label: str = "", css: str = "") -> SafeString:
    """Render an icon of the sprite; without a label it is hidden from screen readers."""
    meaning = format_html('role="img" aria-label="{}"', label) if label else 'aria-hidden="true"'
    return format_html(
        '<svg class="{}" {}><use href="{}#{}"/></svg>',
        f"icon {css}".rstrip(),
        SafeString(meaning),
        static_url(SPRITE),
        name,
    )


@cache
def static_url(path: str) -> str:
    """Return the URL of a static file. Cached: a page with many rows needs it often."""
    return static(path)


@cache
def logo_file(slug: str) -> str | None:
    """Return the static path of a connector's logo, or None if it has none."""
    path = f"connectors/{slug}.svg"
    return path if finders.find(path) else None


@register.simple_tag
def logo(connector: Service, size: str = "md") -> SafeString:
    """Render a connector's logo, or a tile with its first letter.

    It is hidden from screen readers, because the name is next to it. ``size`` is
    ``sm`` (24 px), ``md`` (32 px) or ``lg`` (48 px).
    """
    pixels = LOGO_SIZES[size]
    if path := logo_file(connector.slug):
        return format_html(
            '<img class="logo logo-{}" src="{}" alt="" width="{}" height="{}">',
            size,
            static_url(path),
            pixels,
            pixels,
        )
    # hash() differs between processes; the color of a service must not.
    tile = zlib.crc32(connector.slug.encode()) % TILE_COLORS
    return format_html(
        '<span class="logo logo-{} logo-tile logo-{}" aria-hidden="true">{}</span>',
        size,
        tile,
        connector.name[:1].upper(),
    )


@register.simple_tag
def state(name: str, **facts: Any) -> SafeString:
    """Render a state as color, icon and text.

    Facts: ``account`` (active), ``expires_at`` (expiring), ``missing`` and ``asked``
    (permissions missing). ``words`` replaces the text. Raise KeyError for an unknown state.
    """
    shown = STATES[name]
    # An end that is over is not certain: the service may still renew the access.
    if (expires_at := facts.pop("expires_at", None)) and expires_at > timezone.now():
        facts["expires"] = from_now(expires_at)
    words = facts.pop("words", "") or shown.text(facts)
    return format_html(
        '<span class="state tone-{}" data-state="{}">{}<span>{}</span></span>',
        shown.tone,
        name,
        icon(shown.icon),
        words,
    )


@register.simple_tag
def authorization_state(authorization: ShownAuthorization | None) -> SafeString:
    """Render the state of an authorization; None is shown as *Not authorized*."""
    return state(**authorization.display.facts) if authorization else state("needs_authorization")


@register.simple_tag
def environment(value: str) -> SafeString:
    """Render an environment as its color and its name."""
    named = Environment(value)
    return format_html(
        '<span class="environment environment-{}">{}</span>', named.value, named.label
    )


@register.simple_tag
def environment_bar(value: str, words: str = "") -> SafeString:
    """Render the bar above what runs or is authorized in an environment.

    ``words`` say what happens there, such as "Runs in".
    """
    named = Environment(value)
    return format_html(
        '<p class="environment-bar environment-{}">{}<strong>{}</strong></p>',
        named.value,
        f"{words} " if words else "",
        named.label,
    )


@register.simple_tag
def copyable(text: str, label: str) -> SafeString:
    """Render an identifier or URL, and a button that copies it.

    ``label`` says what it is, such as "the link name".
    """
    return format_html(
        '<span class="copy"><code>{}</code>{}</span>',
        text,
        format_html(
            '<button class="copy-button scripted-only" type="button" data-copy '
            'aria-label="Copy {}">{}</button>',
            label,
            icon("copy"),
        ),
    )


@register.simple_tag
def component_icon(kind: str) -> SafeString:
    """Render the icon for a kind of component."""
    return icon(KIND_ICONS[kind])


@register.simple_tag
def ago(moment: datetime | None) -> SafeString:
    """Render a time as "3 minutes ago", with the full time on hover."""
    if moment is None:
        return SafeString("never")
    local = timezone.localtime(moment)
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        local.isoformat(),
        date_format(local, "j F Y, H:i ") + (local.tzname() or ""),
        from_now(moment),
    )


@register.simple_tag
def moment(value: datetime, style: str) -> SafeString:
    """Render a time in UTC; a script shows it in the reader's time zone.

    ``style`` is ``date``, ``time``, ``date-time``, or ``exact`` with seconds and the time zone.
    """
    utc = value.astimezone(UTC)
    return format_html(
        '<time datetime="{}" data-style="{}">{}</time>',
        utc.isoformat(),
        style,
        date_format(utc, MOMENT_STYLES[style]),
    )


@register.filter
def is_over(value: datetime) -> bool:
    """Tell whether a time is in the past."""
    return value <= timezone.now()


@register.filter
def browser_name(user_agent: str) -> str:
    """Return the browser and system of a User-Agent header, such as "Firefox on Linux"."""
    # Browsers also include the names of the ones after them, for compatibility.
    browsers = {"Edg": "Edge", "OPR": "Opera", "Firefox": "Firefox", "Chrome": "Chrome"}
    systems = {"Android": "Android", "iPhone": "iPhone", "iPad": "iPad", "Windows": "Windows"}
    known = {**browsers, "Safari": "Safari"}, {**systems, "Mac OS": "macOS", "Linux": "Linux"}
    words = [next((word for mark, word in of.items() if mark in user_agent), "") for of in known]
    return " on ".join(filter(None, words)) or "an unknown browser"


@register.simple_tag
def control(field: BoundField | BoundWidget, **attrs: Any) -> SafeString:
    """Render a form field's control, or one option of it, with Tabler's CSS classes."""
    if isinstance(field, BoundWidget):
        field.data["attrs"]["class"] = CONTROL_CLASSES[field.data["type"]]
        return field.tag()
    own = field.field.widget.attrs.get("class", "")
    css = f"{CONTROL_CLASSES.get(field.widget_type, 'form-control')} {own}".rstrip()
    return field.as_widget(attrs={"class": css, **attrs})


def from_now(moment: datetime) -> str:
    """Return the distance of a time from now in one unit, such as "in 3 minutes"."""
    distance = moment - timezone.now()
    if abs(distance) < timedelta(minutes=1):
        return "just now" if distance < timedelta() else "in a moment"
    if distance < timedelta():
        return f"{timesince(moment, depth=1)} ago"
    return f"in {timeuntil(moment, depth=1)}"
