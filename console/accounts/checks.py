"""System checks: every route has a rule in the access policy, and every rule a route."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.core.checks import CheckMessage, Error
from django.urls import URLPattern, URLResolver, get_resolver

from console.accounts.policy import RULES, Audience, RouteRule

HINT = (
    "Add it to RULES in console/accounts/policy.py, "
    "and to VISITS in tests/accounts/policy/visits.py."
)


def check_routes(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """Check the console's routes against its access policy."""
    return list(disagreements(get_resolver(), RULES))


def disagreements(resolver: URLResolver, rules: Mapping[str, RouteRule]) -> Iterator[CheckMessage]:
    """Compare the routes of a resolver with rules."""
    used = set()
    for pattern, namespaces, route in _routes(resolver):
        named = ":".join([*namespaces, route.name]) if route.name else ""
        known = [name for name in (named, *namespaces[:1]) if name in rules]
        if not known:
            what = f"The route {named or '(without a name)'}, {pattern!r}, has no rule."
            yield Error(f"{what} Nobody can open it.", hint=HINT, id="console.E001")
            continue
        used.update(known)
        if known[0] not in namespaces:
            yield from _check_sign_in(named, route, rules[known[0]])
    for name in sorted(rules.keys() - used):
        yield Error(
            f"The rule {name} belongs to no route.",
            hint="Remove it, or correct its name: it must be a route name or a namespace.",
            id="console.E002",
        )


def _check_sign_in(name: str, route: URLPattern, rule: RouteRule) -> Iterator[CheckMessage]:
    is_public = rule.audience is Audience.PUBLIC
    if is_public == getattr(route.callback, "login_required", True):
        problem = "is public, but its view is not" if is_public else "has a public view"
        yield Error(
            f"The route {name} {problem}.",
            hint="Make the rule public if and only if the view has @login_not_required.",
            id="console.E003",
        )
    if is_public and not rule.reason:
        yield Error(
            f"The route {name} is public without a reason.",
            hint="Say in its rule why it needs no sign-in.",
            id="console.E004",
        )


def _routes(
    resolver: URLResolver, prefix: str = "", namespaces: Sequence[str] = ()
) -> Iterator[tuple[str, Sequence[str], URLPattern]]:
    for entry in resolver.url_patterns:
        pattern = prefix + str(entry.pattern)
        if isinstance(entry, URLPattern):
            yield pattern, namespaces, entry
        else:
            inner = [*namespaces, entry.namespace] if entry.namespace else namespaces
            yield from _routes(entry, pattern, inner)
