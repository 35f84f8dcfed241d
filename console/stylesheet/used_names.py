"""Names of classes and attributes that templates, Python files and scripts may use.

Like Tailwind and PurgeCSS, this runs nothing: every word that could be a name counts as one. A name
too many costs a few bytes; a missing one would cost a page its style.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

_WORD = re.compile(r"[A-Za-z0-9_-]+")
_COMMENT = re.compile(r"\{#.*?#\}|\{%\s*comment.*?endcomment\s*%\}|<!--.*?-->", re.DOTALL)
#: Text between two tags of a template is for people. If it holds a condition or a variable, it may
#: be inside an attribute, so it is read.
_TEXT = re.compile(r">[^<>{}]*<")
#: The beginning and the end of a name that is put together: ``btn-{{ kind }}``, ``btn-${kind}``,
#: ``"btn-" + kind``, ``{{ name }}-lg``.
_BEGINNING = re.compile(r"([A-Za-z]\w+(?:-\w+)*-)(?=\{|\$\{|[\"'`]\s*\+)")
_END = re.compile(r"(?:(?<=\})|(?<=\+ [\"'`]))(-\w+(?:-\w+)*)")
#: In a script, ``dataset.bsTheme`` is the attribute ``data-bs-theme``.
_DATASET = re.compile(r"\bdataset\.(\w+)")
_CAPITAL = re.compile(r"[A-Z]")


@dataclass(frozen=True, kw_only=True)
class UsedNames:
    #: Words of templates, Python files and scripts.
    words: frozenset[str]
    #: Words of style sheets. They use custom properties and animations of each other.
    style_words: frozenset[str]
    beginnings: tuple[str, ...]
    ends: tuple[str, ...]

    def has(self, name: str) -> bool:
        """Tell whether a class, an ID or an attribute may be used."""
        return name in self.words or name.startswith(self.beginnings) or name.endswith(self.ends)


def read_names(own: Iterable[Path], installed: Iterable[Path] = ()) -> UsedNames:
    """Collect the names in templates, Python files, scripts and style sheets.

    ``installed`` are the templates of packages. They put no names of Tabler together, but some of
    their names would look like it.
    """
    words: set[str] = set()
    style_words: set[str] = set()
    beginnings: set[str] = set()
    ends: set[str] = set()
    for file in own:
        text = file.read_text(encoding="utf-8")
        if file.suffix == ".css":
            style_words.update(_WORD.findall(text))
            continue
        for part in _parts(file, text):
            words.update(_WORD.findall(part))
            beginnings.update(_BEGINNING.findall(part))
            ends.update(_END.findall(part))
    for file in installed:
        for part in _parts(file, file.read_text(encoding="utf-8")):
            words.update(_WORD.findall(part))
    return UsedNames(
        words=frozenset(words),
        style_words=frozenset(style_words | {word for word in words if word.startswith("--")}),
        beginnings=tuple(sorted(beginnings)),
        ends=tuple(sorted(ends)),
    )


def _parts(file: Path, text: str) -> Iterator[str]:
    if file.suffix == ".py":
        yield from _strings(text)
    elif file.suffix == ".js":
        yield text
        for name in _DATASET.findall(text):
            yield "data-" + _CAPITAL.sub(lambda capital: f"-{capital[0].lower()}", name)
    else:
        yield _TEXT.sub("><", _COMMENT.sub("", text))


def _strings(source: str) -> Iterator[str]:
    """Yield the strings of a Python file that are not documentation, with ``{}`` for a gap."""
    documentation: set[ast.AST] = set()
    for node in ast.walk(ast.parse(source)):  # a statement comes before what is in it
        match node:
            case ast.Expr(value=ast.Constant() as alone):
                documentation.add(alone)
            case ast.JoinedStr(values=values):
                yield "".join(
                    str(each.value) if isinstance(each, ast.Constant) else "{}" for each in values
                )
            case ast.Constant(value=str(text)) if node not in documentation:
                # It may be added to another string.
                yield "{}" * text.startswith("-") + text + "{}" * text.endswith("-")
