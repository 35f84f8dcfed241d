"""Validation of the regular expressions in definitions.

They are used with ``re.fullmatch``, on values from people and services.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

MAX_LENGTH = 200

#: An escape or a character class: it matches one character.
_CHARACTER = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]")
_GROUP = re.compile(r"\((?:\?[:=!]|\?P<\w+>)?([^()]*)\)([*+]|\{\d+,?\d*\})?")
_UNBOUNDED = re.compile(r"[*+]|\{\d+,\}")

#: Patterns built only of these match only characters of a host (RFC 3986 section 3.2.2).
_HOST_SYNTAX = re.compile(
    r"(?:\((?:\?:)?|[)|?*+]|\{\d+(?:,\d*)?\}|\[[A-Za-z0-9_-]+\]|\\[.-]|[A-Za-z0-9-])+"
)
_LITERAL_GROUP = re.compile(r"\((?:\?:)?(?:[A-Za-z0-9|-]|\\\.)+\)(?![?*+{])")
_ANY_GROUP = re.compile(r"\([^()]*\)")
_PORT = "(:[0-9]{1,5})?"
_UNSAFE_HOSTS = (
    "", " ", "a b", "a\tb", "a\n", "evil.example/", "a@evil.example", "evil.example#", "a?b",
    "a\\b", "a:b", "a:b@evil.example", "[::1]", "a%2fb",
)  # fmt: skip
_OTHER_HOSTS = (
    "localhost", "127.0.0.1", "169.254.169.254", "evil.example", "evil.com", "x.evil.com",
    "x.y.evil.com", "evil.eu", "evil.in", "evil.co.uk", "evil.com.au", "evil.net", "evil.io",
)  # fmt: skip


def faults_of_pattern(pattern: str) -> Iterator[str]:
    """Yield the faults of a pattern."""
    if len(pattern) > MAX_LENGTH:
        yield f"The pattern is longer than {MAX_LENGTH} characters."
        return
    try:
        re.compile(pattern)
    except re.error as error:
        yield f"The pattern does not compile: {error}."
        return
    bare = _CHARACTER.sub("c", pattern)
    if re.search(r"[\^$]", bare) or re.search(r"\\[AZbB]", pattern):
        yield "The whole value must match anyway. Leave out anchors such as ^ and $."
    if _nests_quantifiers(bare):
        yield "The pattern has nested unbounded quantifiers, such as (a+)+."


def _nests_quantifiers(bare: str) -> bool:
    while group := _GROUP.search(bare):
        body, times = group[1], group[2] or ""
        endless = _UNBOUNDED.search(body) is not None
        if endless and times:
            return True
        mark = "c+" if endless or _UNBOUNDED.match(times) else "c"
        bare = bare[: group.start()] + mark + bare[group.end() :]
    return False


def stays_in_host(pattern: str, *, port: bool = False) -> bool:
    """Return whether every match stays within the host of a URL (security.md O27, X5, X7)."""
    host = pattern.removesuffix(_PORT) if port else pattern
    return _HOST_SYNTAX.fullmatch(host) is not None and not any(
        re.fullmatch(pattern, value) for value in _UNSAFE_HOSTS
    )


def pins_domain(pattern: str) -> bool:
    """Return whether every match ends with a domain that the pattern spells out."""
    rest = _without(_LITERAL_GROUP, pattern)
    outside = _without(_ANY_GROUP, pattern)
    return (
        stays_in_host(pattern)
        and "|" not in outside
        and re.search(r"\\\.[A-Za-z0-9-]+$", rest) is not None
        and not any(re.fullmatch(pattern, host) for host in _OTHER_HOSTS)
    )


def _without(group: re.Pattern[str], pattern: str) -> str:
    while group.search(pattern):
        pattern = group.sub("g", pattern)
    return pattern


def pins_origin(pattern: str) -> bool:
    """Return whether every match is ``https://`` and a host in a domain that is spelled out."""
    return pattern.startswith("https://") and pins_domain(pattern.removeprefix("https://"))
