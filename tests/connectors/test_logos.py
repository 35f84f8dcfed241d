"""Every logo is a small, harmless drawing with a stated source, and visible on its white tile."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
from django.conf import settings

from connectors.definitions.registry import get_connectors

FOLDER = Path(settings.BASE_DIR) / "static" / "connectors"
LOGOS = sorted(FOLDER.glob("*.svg"))
LICENSES = (FOLDER / "LICENSE.md").read_text(encoding="utf-8")
LARGEST = 5_000
SVG = "{http://www.w3.org/2000/svg}"
ELEMENTS = frozenset(
    {"svg", "g", "path", "circle", "ellipse", "rect", "polygon", "polyline", "line"}
    | {"defs", "linearGradient", "radialGradient", "stop", "mask", "clipPath", "use", "title"}
)
#: The lowest contrast with the white tile (WCAG 2.2, 1.4.11 asks for 3 where a graphic is needed
#: to understand the page; here the name is next to it).
CONTRAST = 1.5


def tree(logo: Path) -> ElementTree.Element:
    return ElementTree.fromstring(logo.read_text(encoding="utf-8"))


def test_they_are_small() -> None:
    assert [logo.name for logo in LOGOS if logo.stat().st_size > LARGEST] == []


def test_they_only_draw() -> None:
    assert {logo.name: faults for logo in LOGOS if (faults := [*_faults(logo)])} == {}


def test_their_ids_are_their_own() -> None:
    """Two logos in one page must not refer to each other's gradients."""
    for logo in LOGOS:
        for element in tree(logo).iter():
            assert element.get("id", f"{logo.stem}-").startswith(f"{logo.stem}-"), logo.name


def test_they_scale_and_are_about_square() -> None:
    for logo in LOGOS:
        root = tree(logo)
        _, _, width, height = (float(number) for number in root.attrib["viewBox"].split())
        assert 0.5 < width / height < 2, logo.name
        assert not {"width", "height"} & {*root.attrib}, logo.name


def test_they_can_be_seen_on_white() -> None:
    for logo in LOGOS:
        text = logo.read_text(encoding="utf-8")
        colors = re.findall(r"(?:fill|stroke|stop-color)=\"#([0-9a-fA-F]{3,6})\"", text)
        assert not colors or max(_contrast(color) for color in colors) >= CONTRAST, logo.name


def test_their_sources_are_stated_once() -> None:
    assert [logo.name for logo in LOGOS if LICENSES.count(f"`{logo.name}`") != 1] == []


@pytest.mark.parametrize(
    "svg",
    [
        "<script>alert(1)</script>",
        '<a href="https://example.com"><path d="M0 0"/></a>',
        '<image href="https://example.com/a.png"/>',
        '<use href="https://example.com/a.svg#b"/>',
        '<path d="M0 0" onclick="alert(1)"/>',
        '<path d="M0 0" style="fill: red"/>',
        '<path d="M0 0" fill="url(https://example.com/a.svg#b)"/>',
    ],
)
def test_the_rules_find_what_does_not_only_draw(tmp_path, svg) -> None:
    logo = tmp_path / "acme.svg"
    logo.write_text(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24">{svg}</svg>')
    assert [*_faults(logo)]


def _faults(logo: Path) -> Iterator[str]:
    """Yield what a logo holds beside a drawing."""
    text = logo.read_text(encoding="utf-8")
    yield from (each for each in ("<!", "<?") if each in text)
    for element in tree(logo).iter():
        if element.tag.removeprefix(SVG) not in ELEMENTS:
            yield element.tag
        for name, value in element.attrib.items():
            if name in {"style", "class"} or name.lower().startswith("on"):
                yield name
            outside = [value] if name.endswith("href") else re.findall(r"url\(([^)]*)\)", value)
            yield from (each for each in outside if not each.startswith("#"))


def _contrast(color: str) -> float:
    """Return the contrast ratio of a color with white."""
    digits = "".join(2 * digit for digit in color) if len(color) == 3 else color
    channels = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return 1.05 / (luminance + 0.05)


def test_no_logo_is_left_without_a_service() -> None:
    assert {logo.stem for logo in LOGOS} <= {*get_connectors()} | {
        path.stem for path in (Path(settings.BASE_DIR) / "connectors" / "catalogue").glob("*.toml")
    }


def test_services_with_a_letter_are_listed() -> None:
    reasons = LICENSES.split("## Services with a letter")[1]
    listed = re.findall(r"^- (?:In none of them: )?([^:\n]+?)(?:: .*|\.)$", reasons, re.MULTILINE)
    names = [name for line in listed for name in line.split(", ")]
    there = {logo.stem for logo in LOGOS}
    letters = [each.name for slug, each in get_connectors().items() if slug not in there]
    assert sorted(names) == sorted(letters)
    assert f"{len(letters)} services are shown by the first letter" in reasons
