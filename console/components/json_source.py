"""JSON as people write it: read it, and find the line on which something stands.

Files and definitions come from outside, so everything that a database, another program or
this process could not bear is refused here, with its place.
"""

from __future__ import annotations

import itertools
import json
import math
import re
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from console.components.document_limits import FILE, DocumentLimits, too_large

#: Nobody reads more of them; the others are counted.
MAX_FAULTS = 20
#: Where something stands in a document: the keys and positions that lead to it.
Path = tuple[str | int, ...]
#: Something wrong with the value to which a path leads, in one sentence.
Problem = tuple[Path, str]

_TOKEN = re.compile(r'"(?:[^"\\]++|\\.)*+"|[{}\[\],:]|[^\s{}\[\],:"]+', re.DOTALL)
#: What no database takes: NUL and the halves of surrogate pairs.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_WORDS = {
    "Expecting value": "A value is missing here, or a text lacks its quotes.",
    "Expecting property name enclosed in double quotes": (
        "A name in double quotes is missing here; a comma before a closing bracket is one too many."
    ),
    "Expecting ',' delimiter": "A comma is missing before this, or a bracket is not closed.",
    "Expecting ':' delimiter": "A colon is missing between the name and its value.",
    "Unterminated string starting at": "This text has no closing quote.",
    "Invalid control character at": "A line break or tab inside a text is written \\n or \\t.",
    "Invalid \\escape": 'After a backslash only " \\ / b f n r t or u may stand.',
    "Invalid \\uXXXX escape": "After \\u four hexadecimal digits must stand.",
    "Extra data": "Nothing may follow after the end of the document.",
}


@dataclass(frozen=True, kw_only=True)
class JsonFault:
    """Something wrong in a document: where it stands, and one sentence.

    ``line`` and ``column`` count from 1; ``where`` is the dotted path, empty for the whole.
    """

    line: int
    column: int
    message: str
    where: str = ""

    def __str__(self) -> str:
        place = f"line {self.line}, column {self.column}"
        return (
            f"{place} ({self.where}): {self.message}" if self.where else f"{place}: {self.message}"
        )


class JsonFaults(ValueError):
    """A document that cannot be taken, with the first things that are wrong in it.

    ``more`` counts those beyond :data:`MAX_FAULTS`; ``None``: nobody has looked for them.
    """

    def __init__(self, faults: Sequence[JsonFault], *, more: int | None = 0) -> None:
        super().__init__("\n".join(map(str, faults)))
        self.faults = tuple(faults)
        self.more = more

    @property
    def count(self) -> int:
        """Count all that is known to be wrong."""
        return len(self.faults) + (self.more or 0)


def refuse(text: str, problems: Iterable[Problem], *, counting: bool = True) -> None:
    """Raise :class:`Faults` if there is any problem; those that nobody reads are counted only.

    Without ``counting`` none is looked for beyond these.
    """
    problems = iter(problems)
    if first := list(itertools.islice(problems, MAX_FAULTS)):
        more = sum(1 for _ in problems) if counting else None
        raise JsonFaults(
            faults_at(text, first), more=more if more or len(first) == MAX_FAULTS else 0
        )


def read(text: str, *, limits: DocumentLimits = FILE) -> Any:
    """Read JSON (RFC 8259) strictly; raise :class:`Faults` with the first thing wrong.

    Refused are names that stand twice in one object, NaN and infinite numbers, integers
    of more than 40 digits, NUL and halves of surrogate pairs, and what goes beyond the
    ``limits``.
    """
    if words := too_large(text, limits):
        raise JsonFaults([JsonFault(line=1, column=1, message=words)])
    try:
        document = json.loads(
            text,
            object_pairs_hook=_object,
            parse_constant=_no_constant,
            parse_float=_finite,
            parse_int=_short,
        )
    except json.JSONDecodeError as error:
        words = _WORDS.get(error.msg, "This is not JSON.")
        raise JsonFaults(
            [JsonFault(line=error.lineno, column=error.colno, message=words)]
        ) from None
    except RecursionError:
        raise JsonFaults([_too_deep(text, limits.nesting)]) from None
    except _Refused as refused:
        raise JsonFaults([_fault_at_words(text, refused)]) from None
    if found := _first_unbearable(document, limits):
        raise JsonFaults([fault_at(text, *found)])
    return document


def fault_at(text: str, path: Path, message: str) -> JsonFault:
    """Say what is wrong with the value to which ``path`` leads."""
    return faults_at(text, [(path, message)])[0]


def faults_at(text: str, problems: Iterable[Problem]) -> list[JsonFault]:
    """Say what is wrong with each of these values, in the order of the text.

    It is read once, however many they are.
    """
    problems = list(problems)
    places = _places(text, [path for path, _ in problems])
    faults = []
    for path, message in problems:
        # A path that leads nowhere stands at the last value on its way.
        on_the_way = (path[:length] for length in range(len(path), -1, -1))
        line, column = _line_and_column(
            text, next((places[each] for each in on_the_way if each in places), 0)
        )
        where = ".".join(map(str, path))
        faults.append(JsonFault(line=line, column=column, message=message, where=where))
    return sorted(faults, key=lambda fault: (fault.line, fault.column))


def _places(text: str, paths: Iterable[Path]) -> dict[Path, int]:
    """Find where in the text values begin, those on the way to them included."""
    tokens = _TOKEN.finditer(text)
    wanted = {path[:length] for path in paths for length in range(len(path) + 1)}
    found: dict[Path, int] = {}
    if wanted and (token := next(tokens, None)):
        _note(tokens, token, (), wanted, found)
    return found


def _note(
    tokens: Iterator[re.Match[str]],
    opening: re.Match[str],
    path: Path,
    wanted: Container[Path],
    found: dict[Path, int],
) -> None:
    """Note where a value stands and, if it holds others, where the wanted ones of them do."""
    found[path] = opening.start()
    if opening[0] not in ("{", "["):
        return
    for position in itertools.count():
        token = next(tokens)
        if token[0] in ("}", "]"):
            return
        step: str | int = position
        if opening[0] == "{":
            step = json.loads(token[0])
            next(tokens)  # the colon
            token = next(tokens)
        if (*path, step) in wanted:
            _note(tokens, token, (*path, step), wanted, found)
        else:
            _skip(tokens, token[0])
        if next(tokens)[0] != ",":
            return


def _skip(tokens: Iterator[re.Match[str]], first: str) -> None:
    depth = int(first in "{[")
    while depth:
        match next(tokens)[0]:
            case "{" | "[":
                depth += 1
            case "}" | "]":
                depth -= 1


class _Refused(ValueError):
    """JSON that the standard allows and this console does not; ``words`` stand in the text."""

    def __init__(self, message: str, words: str) -> None:
        super().__init__(message)
        self.words = words


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        twice = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        raise _Refused(f"“{twice[:60]}” stands twice in one object.", json.dumps(twice))
    return found


def _no_constant(word: str) -> None:
    raise _Refused(f"{word} is not a number that JSON knows.", word)


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise _Refused("This number is too large.", digits)
    return number


def _short(digits: str) -> int:
    if len(digits) > 40:
        raise _Refused("This number has too many digits.", digits)
    return int(digits)


def _fault_at_words(text: str, refused: _Refused) -> JsonFault:
    # The last one: of a name that stands twice, the second is the one too many.
    line, column = _line_and_column(text, max(text.rfind(refused.words), 0))
    return JsonFault(line=line, column=column, message=str(refused))


def _too_deep(text: str, max_nesting: int) -> JsonFault:
    depth = start = 0
    for token in _TOKEN.finditer(text):
        depth += (token[0] in "{[") - (token[0] in "}]")
        if depth > max_nesting:
            start = token.start()
            break
    line, column = _line_and_column(text, start)
    return JsonFault(line=line, column=column, message=_deeper(max_nesting))


def _first_unbearable(document: Any, limits: DocumentLimits) -> Problem | None:
    """Find the first value that is nested too deep, too long or cannot be stored."""
    for path, value in walk(document):
        if isinstance(value, str):
            texts: Iterable[str] = (value,)
        elif isinstance(value, dict | list):
            if len(path) >= limits.nesting:
                return path, _deeper(limits.nesting)
            texts = value if isinstance(value, dict) else ()
        else:
            continue
        for each in texts:
            if _UNSTORABLE.search(each):
                return path, "This holds a character that cannot be stored."
            if len(each) > limits.text:
                return path, f"A text may have at most {limits.text:,} characters."
    return None


def _deeper(most: int) -> str:
    return f"Brackets may be nested {most} deep, and here they are nested deeper."


def walk(document: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Give every value of a document with its path, outer ones first, in their order."""
    yield path, document
    waiting = [_within(path, document)]
    while waiting:  # one iterator for each bracket that is open, and no list of all that is left
        for path, value in waiting[-1]:
            yield path, value
            if isinstance(value, dict | list):
                waiting.append(_within(path, value))
                break
        else:
            waiting.pop()


def _within(path: Path, value: Any) -> Iterator[tuple[Path, Any]]:
    if isinstance(value, dict):
        return (((*path, name), item) for name, item in value.items())
    if isinstance(value, list):
        return (((*path, index), item) for index, item in enumerate(value))
    return iter(())


def _line_and_column(text: str, index: int) -> tuple[int, int]:
    return text.count("\n", 0, index) + 1, index - text.rfind("\n", 0, index)
