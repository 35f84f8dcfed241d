"""Remove from a style sheet what no page can use: rules, keyframes, custom properties."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import tinycss2

from console.stylesheet.used_names import UsedNames

#: Their arguments are alternatives; one that can be used is enough.
_ALTERNATIVES = frozenset({"is", "where", "has", "matches", "-webkit-any", "-moz-any"})
#: At-rules with rules inside.
_NESTING = frozenset({"media", "supports", "layer", "container"})
_ANIMATIONS = frozenset({"animation", "animation-name"})


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A rule that stays: its prelude, and declarations or rules inside."""

    prelude: str
    declarations: tuple[Declaration, ...] = ()
    rules: tuple[Rule, ...] = ()
    #: For what is kept as it is, such as ``@font-face``.
    text: str = ""


@dataclass(frozen=True, kw_only=True)
class Declaration:
    name: str
    text: str
    #: Custom properties in the value.
    variables: frozenset[str] = field(default_factory=frozenset)
    #: Words in the value, which may name an animation.
    words: frozenset[str] = field(default_factory=frozenset)


def subset(css: str, used: UsedNames) -> str:
    """Return the rules of a style sheet whose selectors can match, minified."""
    nodes = tinycss2.parse_stylesheet(css, skip_comments=True, skip_whitespace=True)
    rules = [*_rules(nodes, used)]
    properties = _used_properties(rules, used)
    animations = {
        word
        for each in _declarations(rules)
        if each.name in _ANIMATIONS or each.name.startswith("--")
        for word in each.words
    }
    return "".join(_written(rule, properties, animations | used.style_words) for rule in rules)


def _rules(nodes: Iterable[Any], used: UsedNames) -> Iterator[Rule]:
    for node in nodes:
        if node.type == "qualified-rule":
            selectors = [each for each in _split(node.prelude) if _can_match(each, used)]
            if selectors and (declarations := tuple(_parsed(node.content))):
                prelude = ",".join(tinycss2.serialize(each).strip() for each in selectors)
                yield Rule(prelude=prelude, declarations=declarations)
        elif node.type == "at-rule":
            yield from _at_rule(node, used)


def _at_rule(node: Any, used: UsedNames) -> Iterator[Rule]:
    name = node.lower_at_keyword
    prelude = f"@{node.at_keyword}{tinycss2.serialize(node.prelude).rstrip()}"
    if node.content is None:
        yield Rule(prelude="", text=f"{prelude};")
    elif name in _NESTING:
        inside = tinycss2.parse_rule_list(node.content, skip_comments=True, skip_whitespace=True)
        if rules := tuple(_rules(inside, used)):
            yield Rule(prelude=prelude, rules=rules)
    else:
        yield Rule(prelude=prelude, text=tinycss2.serialize(node.content))


def _parsed(content: Sequence[Any]) -> Iterator[Declaration]:
    for node in tinycss2.parse_blocks_contents(content, skip_comments=True, skip_whitespace=True):
        if node.type != "declaration":
            raise ValueError(f"Cannot read this part of the style sheet: {node.serialize()[:200]}")
        important = "!important" if node.important else ""
        tokens = [*_flat(node.value)]
        yield Declaration(
            name=node.name,
            text=f"{node.name}:{tinycss2.serialize(node.value).strip()}{important}",
            variables=frozenset(
                each.value for each in tokens if each.type == "ident" and each.value[:2] == "--"
            ),
            words=frozenset(each.value for each in tokens if each.type == "ident"),
        )


def _flat(tokens: Iterable[Any]) -> Iterator[Any]:
    """Yield all tokens, those in brackets and functions included."""
    for token in tokens:
        yield token
        inside = getattr(token, "arguments", None) or getattr(token, "content", None)
        if isinstance(inside, list):
            yield from _flat(inside)


def _split(tokens: Iterable[Any]) -> Iterator[list[Any]]:
    """Split a list of selectors at its commas."""
    selector: list[Any] = []
    for token in tokens:
        if token.type == "literal" and token.value == ",":
            yield selector
            selector = []
        else:
            selector.append(token)
    yield selector


def _can_match(selector: Sequence[Any], used: UsedNames) -> bool:
    """Tell whether every class, ID and ``data-`` attribute of a selector may be used.

    Elements always count as used: widgets and libraries render some of them.
    """
    is_class = False
    for token in selector:
        if (token.type == "ident" and is_class) or token.type == "hash":
            can_match = used.has(token.value)
        elif token.type == "function" and token.lower_name in _ALTERNATIVES:
            can_match = any(_can_match(each, used) for each in _split(token.arguments))
        elif token.type == "[] block":
            can_match = _attribute_can_match(token.content, used)
        else:
            can_match = True
        if not can_match:
            return False
        is_class = token.type == "literal" and token.value == "."
    return True


def _attribute_can_match(tokens: Sequence[Any], used: UsedNames) -> bool:
    names = [token.value for token in tokens if token.type in {"ident", "string"}]
    if not names or not names[0].startswith("data-"):
        return True  # Django and the browser set these
    return all(used.has(word) for name in names for word in name.split())


def _declarations(rules: Iterable[Rule]) -> Iterator[Declaration]:
    for rule in rules:
        yield from rule.declarations
        yield from _declarations(rule.rules)


def _used_properties(rules: Sequence[Rule], used: UsedNames) -> frozenset[str]:
    """Return the custom properties that something else than an unused property refers to."""
    refers: dict[str, set[str]] = {}
    found = {word for word in used.style_words if word.startswith("--")}
    for each in _declarations(rules):
        if each.name.startswith("--"):
            refers.setdefault(each.name, set()).update(each.variables)
        else:
            found |= each.variables
    for rule in _all(rules):
        if rule.text:
            found |= {
                token.value
                for token in _flat(tinycss2.parse_component_value_list(rule.text))
                if token.type == "ident" and token.value.startswith("--")
            }
    waiting = [*found]
    while waiting:
        for name in refers.get(waiting.pop(), set()) - found:
            found.add(name)
            waiting.append(name)
    return frozenset(found)


def _all(rules: Iterable[Rule]) -> Iterator[Rule]:
    for rule in rules:
        yield rule
        yield from _all(rule.rules)


def _written(rule: Rule, properties: frozenset[str], animations: frozenset[str] | set[str]) -> str:
    if rule.text:
        if "keyframes" in rule.prelude and rule.prelude.split()[-1] not in animations:
            return ""
        return f"{rule.prelude}{{{rule.text}}}" if rule.prelude else rule.text
    if rule.rules:
        inside = "".join(_written(each, properties, animations) for each in rule.rules)
    else:
        inside = ";".join(
            each.text
            for each in rule.declarations
            if not each.name.startswith("--") or each.name in properties
        )
    return f"{rule.prelude}{{{inside}}}" if inside else ""
