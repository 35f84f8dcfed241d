"""Refuse words that make English hard to read; ``make check`` runs this over the whole product.

``python -m tests.language [PATH …]`` prints each place with what to write instead. A line that
must stay as it is goes into ``allowed.txt``: the file, a colon, and the line without its indent.
"""

from __future__ import annotations

import io
import re
import subprocess
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ALLOWED = Path(__file__).with_name("allowed.txt")

#: What not to write, and what to write instead.
WORDS = {
    r"anew": "again",
    r"who(?:m)?ever": "anyone who",
    r"whom": "who, or name the person",
    r"mend(?:s|ed|ing)?": "fix",
    r"any more(?! than)": "no longer",
    r"no more(?! than)": "no longer",
    r"he|him|his|himself|she|her|herself": "they, them, their",
    r"st(?:ands?|ood) (?:in|under|on|at|there|beside|behind|before)": "is in, is listed under",
    r"told(?: of)?": "notified; the message says",
    r"alone": "only",
    r"what (?:came|comes|became|becomes|has become) of": "the result",
    r"lets? (?:somebody |anybody |people |nobody )?in": "has access",
    r"by (?:itself|themselves)": "automatically",
    r"(?:give|gives|gave|given|giving) back": "revoke, or return",
    r"lest|thereof|therein|whereof|wherein|hence|thither|heed(?:s|ed)?": "plain words",
    r"somebody else's|nobody else's": "another person's",
    r"organis(?:ation|e)\w*|licen[c]e\w*|colou?r(?<=our)\w*|behaviour\w*|centre\w*": "US spelling",
    r"(?:authoris|recognis|initialis|normalis|serialis)\w*": "US spelling",
    r"labell(?:ed|ing)|cancell(?:ed|ing)": "US spelling",
}
PATTERN = re.compile(r"\b(?:" + "|".join(f"({word})" for word in WORDS) + r")\b", re.IGNORECASE)
ADVICE = list(WORDS.values())

#: Texts of others, tests about text, and data whose words are a service's own.
SKIPPED = (
    "static/vendor/",
    "console/stylesheet/tabler/",
    "static/connectors/",
    "requirements/",
    "tests/language/",
    "tests/services/jupyterhub/",
    "tests/services/oidc/package",
)
KINDS = {".py", ".html", ".txt", ".md", ".toml", ".js", ".css", ".mjs", ".yaml", ".yml"}


def texts(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the text of a file that people read, with the number of its line."""
    source = path.read_text(encoding="utf-8")
    if path.suffix != ".py":
        yield from enumerate(source.splitlines(), 1)
        return
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type in (tokenize.STRING, tokenize.COMMENT):
            yield from enumerate(token.string.splitlines(), token.start[0])


def faults(path: Path, allowed: frozenset[str]) -> Iterator[str]:
    name = path.relative_to(ROOT).as_posix()
    lines = path.read_text(encoding="utf-8").splitlines()
    for number, text in texts(path):
        for found in PATTERN.finditer(text):
            if f"{name}: {lines[number - 1].strip()}" not in allowed:
                advice = ADVICE[(found.lastindex or 1) - 1]
                yield f"{name}:{number}: “{found.group()}”: {advice}"


def main(arguments: list[str]) -> int:
    listed = subprocess.run(
        ["git", "ls-files", "--", *arguments],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    allowed = frozenset(ALLOWED.read_text(encoding="utf-8").splitlines())
    found = [
        fault
        for name in listed.stdout.splitlines()
        if Path(name).suffix in KINDS and not name.startswith(SKIPPED) and (ROOT / name).is_file()
        for fault in faults(ROOT / name, allowed)
    ]
    print("\n".join(found) or "Language: nothing found.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
