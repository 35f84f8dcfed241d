"""The people who visit each route, and the answer that the policy table gives them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

from console.accounts.policy import NEEDS_RIGHT, Action, Audience, RowTarget, Target
from console.choices import Role
from tests.accounts.policy.visits import VISITS, rule

#: The prefixes of URLs. Every row of the tests belongs to the first organization, ``own``.
PREFIXES: Mapping[str, str] = {
    "none": "",
    "own": "/o/studio",
    "other": "/o/elsewhere",
    "absent": "/o/nowhere",
}
#: The order of organizations by name: without a prefix, the first one is chosen.
BY_NAME = ("other", "own")


@dataclass(frozen=True, kw_only=True)
class Identity:
    """A person with roles in the organization of the rows (``own``) and in another one."""

    name: str
    roles: Mapping[str, str] = field(default_factory=dict)
    #: The actions for which they have a right in the application of the rows.
    given: frozenset[Action] = frozenset()
    operator: bool = False
    anonymous: bool = False
    #: They are a deactivated super admin in ``own``, which gives no access.
    deactivated: bool = False


def _identities() -> Iterator[Identity]:
    for role in Role.values:
        yield Identity(name=f"own {role}", roles={"own": role})
        yield Identity(name=f"other {role}", roles={"other": role})
        # Permissions there must not apply here.
        yield Identity(name=f"both {role}", roles={"own": role, "other": Role.SUPER_ADMIN})
    for action in NEEDS_RIGHT:
        for role in Role.values:
            name, given = f"own {role} given {action.name.lower()}", frozenset({action})
            yield Identity(name=name, roles={"own": role}, given=given)
        # Rights need the developer role in the application's organization.
        name = f"other developer given {action.name.lower()}"
        yield Identity(name=name, roles={"other": Role.DEVELOPER}, given=frozenset({action}))
    yield Identity(name="nobody")
    yield Identity(name="deactivated", deactivated=True)
    yield Identity(name="operator", operator=True)
    yield Identity(name="anonymous", anonymous=True)


IDENTITIES: Mapping[str, Identity] = {each.name: each for each in _identities()}


@dataclass(frozen=True, kw_only=True)
class Expected:
    """The status of an answer, and the target if the policy redirects."""

    status: int
    location: str = ""


def _is_given(who: Audience | Action, identity: Identity) -> bool:
    """Tell whether the person has the right for the action, or needs none."""
    if not isinstance(who, Action) or who in identity.given:
        return True
    return identity.roles.get("own") not in NEEDS_RIGHT.get(who, ())


def expected(
    name: str, identity: Identity, prefix: str, path: str, status: int | None = None
) -> Expected:
    """Return the expected answer to a visit of ``path``, a path without the prefix."""
    visit, route_rule = VISITS[name], rule(name)
    opened = Expected(status=status or visit.status)
    outside = Expected(status=302 if visit.method == "get" else 307, location=path)
    if identity.anonymous:
        if route_rule.target is Target.NONE and prefix != "none":
            return outside
        if route_rule.audience is Audience.PUBLIC:
            return Expected(status=visit.anonymous)
        entrance = "/admin/login/" if name == "admin:index" else "/accounts/login/"
        there = quote(PREFIXES[prefix] + path)
        if visit.method == "post":  # a form leads to its page, with a message
            there = f"/accounts/return/%3Fto%3D{quote(there, safe='').replace('%', '%25')}"
            return Expected(status=302, location=f"{entrance}?next={there}")
        return Expected(status=302, location=f"{entrance}?next={there}")
    if prefix != "none" and prefix not in identity.roles:
        return Expected(status=404)
    if route_rule.target is Target.NONE:
        return opened if prefix == "none" else outside
    reach = {place: role for place, role in identity.roles.items() if prefix in ("none", place)}
    open_in = [p for p in reach if route_rule.allows([reach[p]], operator=identity.operator)]
    if isinstance(route_rule.target, RowTarget):
        is_visible = not visit.person or visit.person == identity.name
        is_visible = is_visible and _is_given(route_rule.audience, identity)
        is_operator = identity.operator and visit.operator_sees and prefix == "none"
        may = ("own" in open_in or is_operator) and is_visible
        candidates = ["own"] if may else []
    else:
        may = route_rule.allows(reach.values(), operator=identity.operator)
        candidates = [place for place in BY_NAME if place in (open_in or reach)]
    if len(reach) > 1 and visit.method == "get" and not route_rule.any_organization and candidates:
        return Expected(status=302, location=PREFIXES[candidates[0]] + path)
    return opened if may else Expected(status=route_rule.denied_status)
