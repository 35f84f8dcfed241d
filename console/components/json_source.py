"""Parse JSON strictly, and locate values and errors by line and column.

Files and definitions are untrusted. Everything that the database, another program or this process
cannot handle is rejected here, with its location.
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

#: At most so many faults are listed; the others are only counted.
MAX_FAULTS = 20
#: The location of a value in a document: the keys and indexes that lead to it.
Path = tuple[str | int, ...]
#: A path and one sentence about what is wrong with the value there.
Problem = tuple[Path, str]

_TOKEN = re.compile(r'"(?:[^"\\]++|\\.)*+"|[{}\[\],:]|[^\s{}\[\],:"]+', re.DOTALL)
#: Characters that databases cannot store: NUL and unpaired surrogates.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_WORDS = {
    "Expecting value": "A value is missing here, or a text has no quotes.",
    "Expecting property name enclosed in double quotes": (
        "A name in double quotes is missing here. Remove a comma before a closing bracket."
    ),
    "Expecting ',' delimiter": "A comma is missing before this, or a bracket is not closed.",
    "Expecting ':' delimiter": "A colon is missing between the name and its value.",
    "Unterminated string starting at": "This text has no closing quote.",
    "Invalid control character at": "Write a line break or tab inside a text as \\n or \\t.",
    "Invalid \\escape": 'Only " \\ / b f n r t or u can follow a backslash.',
    "Invalid \\uXXXX escape": "Four hexadecimal digits must follow \\u.",
    "Extra data": "Nothing can follow the end of the document.",
}


@dataclass(frozen=True, kw_only=True)
class JsonFault:
    """An error in a document: its location and one sentence.

    ``line`` and ``column`` start at 1. ``where`` is the dotted path, empty for the whole document.
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
    """A document was rejected; ``faults`` are the first errors in it.

    ``more`` is the number of errors beyond :data:`MAX_FAULTS`, or ``None`` if it is unknown.
    """

    def __init__(self, faults: Sequence[JsonFault], *, more: int | None = 0) -> None:
        super().__init__("\n".join(map(str, faults)))
        self.faults = tuple(faults)
        self.more = more

    @property
    def count(self) -> int:
        """Return the number of known errors."""
        return len(self.faults) + (self.more or 0)


def refuse(text: str, problems: Iterable[Problem], *, counting: bool = True) -> None:
    """Raise :class:`JsonFaults` with the first problems, if there are any; count the others.

    Without ``counting``, stop after the first ones.
    """
    problems = iter(problems)
    if first := list(itertools.islice(problems, MAX_FAULTS)):
        more = sum(1 for _ in problems) if counting else None
        raise JsonFaults(
            faults_at(text, first), more=more if more or len(first) == MAX_FAULTS else 0
        )


def read(text: str, *, limits: DocumentLimits = FILE) -> Any:
    """Parse JSON (RFC 8259) strictly; raise :class:`JsonFaults` with the first error.

    Rejected are duplicate names in one object, NaN and infinite numbers, integers of more than 40
    digits, NUL, unpaired surrogates, and documents beyond the ``limits``.
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
        raise JsonFaults([_fault_at_source(text, refused)]) from None
    if found := _first_violation(document, limits):
        raise JsonFaults([fault_at(text, *found)])
    return document


def fault_at(text: str, path: Path, message: str) -> JsonFault:
    """Return the fault for the value at ``path``."""
    return faults_at(text, [(path, message)])[0]


def faults_at(text: str, problems: Iterable[Problem]) -> list[JsonFault]:
    """Return the faults for several values, in the order of the text.

    The text is scanned only once.
    """
    problems = list(problems)
    places = _places(text, [path for path, _ in problems])
    faults = []
    for path, message in problems:
        # For a path that does not exist, use the last existing value on the way.
        on_the_way = (path[:length] for length in range(len(path), -1, -1))
        line, column = _line_and_column(
            text, next((places[each] for each in on_the_way if each in places), 0)
        )
        where = ".".join(map(str, path))
        faults.append(JsonFault(line=line, column=column, message=message, where=where))
    return sorted(faults, key=lambda fault: (fault.line, fault.column))


def _places(text: str, paths: Iterable[Path]) -> dict[Path, int]:
    """Find where the values at ``paths``, and their parents, begin in the text."""
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
    """Record where a value begins and, inside it, where the wanted values begin."""
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
    """Valid JSON that this console does not accept; ``source`` is the rejected part."""

    def __init__(self, message: str, source: str) -> None:
        super().__init__(message)
        self.source = source


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                raise _Refused(f"“{name[:60]}” appears twice in one object.", json.dumps(name))
            seen.add(name)
    return found


def _no_constant(word: str) -> None:
    raise _Refused(f"{word} is not a valid number in JSON.", word)


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise _Refused("This number is too large.", digits)
    return number


def _short(digits: str) -> int:
    if len(digits) > 40:
        raise _Refused("This number has too many digits.", digits)
    return int(digits)


def _fault_at_source(text: str, refused: _Refused) -> JsonFault:
    # Search from the end: of a duplicate name, report the second one.
    line, column = _line_and_column(text, max(text.rfind(refused.source), 0))
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


def _first_violation(document: Any, limits: DocumentLimits) -> Problem | None:
    """Find the first value that is nested too deep, is too long or cannot be stored."""
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
                return path, "This contains a character that cannot be stored."
            if len(each) > limits.text:
                return path, f"A text can have at most {limits.text:,} characters."
    return None


def _deeper(most: int) -> str:
    return f"Brackets can be nested at most {most} deep, and here they are nested deeper."


def walk(document: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Yield every value of a document with its path, parents first, in document order."""
    yield path, document
    waiting = [_within(path, document)]
    while waiting:  # one iterator for each open bracket, instead of a list of all values
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
