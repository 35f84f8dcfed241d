"""``manage.py check``: every route has its rule, and every rule its route."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.core.checks import CheckMessage, Error
from django.urls import URLPattern, URLResolver, get_resolver

from console.accounts.policy import RULES, Rule, Who

HINT = (
    "Add it to RULES in console/accounts/policy.py, "
    "and to VISITS in tests/accounts/policy/visits.py."
)


def check_routes(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """Report what the addresses and the policy table do not agree about."""
    return list(disagreements(get_resolver(), RULES))


def disagreements(resolver: URLResolver, rules: Mapping[str, Rule]) -> Iterator[CheckMessage]:
    """Compare the routes below a resolver with rules."""
    met = set()
    for place, namespaces, route in _routes(resolver):
        named = ":".join([*namespaces, route.name]) if route.name else ""
        known = [name for name in (named, *namespaces[:1]) if name in rules]
        if not known:
            what = f"The route {named or '(without a name)'}, {place!r}, has no rule."
            yield Error(f"{what} It is closed for everybody.", hint=HINT, id="console.E001")
            continue
        met.update(known)
        if known[0] not in namespaces:
            yield from _about_signing_in(named, route, rules[known[0]])
    for name in sorted(rules.keys() - met):
        yield Error(
            f"The rule {name} belongs to no route.",
            hint="Remove it, or correct its name: it must be the route's, or its namespace.",
            id="console.E002",
        )


def _about_signing_in(name: str, route: URLPattern, rule: Rule) -> Iterator[CheckMessage]:
    is_public = rule.who is Who.PUBLIC
    if is_public == getattr(route.callback, "login_required", True):
        said = "is public by its rule, but its view is not" if is_public else "has a public view"
        yield Error(
            f"The route {name} {said}.",
            hint="A rule is PUBLIC where its view has login_not_required, and only there.",
            id="console.E003",
        )
    if is_public and not rule.because:
        yield Error(
            f"The route {name} is public without a reason.",
            hint="Say in its rule why nobody has to sign in for it.",
            id="console.E004",
        )


def _routes(
    resolver: URLResolver, place: str = "", namespaces: Sequence[str] = ()
) -> Iterator[tuple[str, Sequence[str], URLPattern]]:
    for entry in resolver.url_patterns:
        here = place + str(entry.pattern)
        if isinstance(entry, URLPattern):
            yield here, namespaces, entry
        else:
            inner = [*namespaces, entry.namespace] if entry.namespace else namespaces
            yield from _routes(entry, here, inner)
