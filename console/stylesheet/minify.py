"""Remove comments and unneeded white space from a style sheet."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import tinycss2

#: White space next to these has no meaning. ``calc()`` needs it around ``+`` and ``-``.
_PUNCTUATION = (",", ";", ">", "!")
_LICENSE = "!"


def minify(css: str) -> str:
    """Return the style sheet with the same rules, and with the comments of licenses."""
    return tinycss2.serialize(_minified(tinycss2.parse_component_value_list(css)))


def _minified(nodes: Iterable[Any]) -> list[Any]:
    result: list[Any] = []
    space = None
    for node in nodes:
        if node.type == "whitespace":
            space = node
            continue
        if node.type == "comment" and not node.value.startswith(_LICENSE):
            continue
        if space and result and _must_be_apart(result[-1], node):
            space.value = " "
            result.append(space)
        space = None
        result.append(node)
        if node.type == "function":
            node.arguments = _minified(node.arguments)
        elif node.type.endswith(" block"):
            node.content = _minified(node.content)
    if result and result[-1] == ";":
        result.pop()
    return result


def _must_be_apart(before: Any, after: Any) -> bool:
    """Tell whether white space between two nodes has a meaning."""
    if "{} block" in {before.type, after.type}:
        return False
    # In a selector, a space before a colon is a combinator: ".messages :focus".
    return before != ":" and before not in _PUNCTUATION and after not in _PUNCTUATION
