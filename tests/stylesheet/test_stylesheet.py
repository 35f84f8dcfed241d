"""The style sheet that is served: complete, small, and built again when a name is added."""

from __future__ import annotations

import gzip
import re
import shutil
from itertools import chain
from pathlib import Path

import pytest
import tinycss2
from django.conf import settings as configured
from django.contrib.staticfiles import finders
from django.core.management import call_command

from console.stylesheet import build as building
from console.stylesheet.build import NAME, TABLER, build, installed_templates, own_files
from console.stylesheet.minify import minify

STATIC = Path(configured.BASE_DIR) / "static"
TEMPLATES = Path(configured.BASE_DIR) / "templates"
KILOBYTE = 1000
MOST = 20 * KILOBYTE


def classes(css: str) -> set[str]:
    """Return the classes in the selectors of a style sheet."""
    found: set[str] = set()

    def visit(nodes) -> None:
        for node in nodes:
            if node.type == "qualified-rule":
                found.update(re.findall(r"\.(-?[A-Za-z_][\w-]*)", tinycss2.serialize(node.prelude)))
            elif node.type == "at-rule" and node.content and node.lower_at_keyword == "media":
                visit(tinycss2.parse_rule_list(node.content))

    visit(tinycss2.parse_stylesheet(css))
    return found


@pytest.fixture(scope="module")
def whole() -> set[str]:
    return classes(TABLER.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def served() -> str:
    return (build() / NAME).read_text(encoding="utf-8")


@pytest.fixture
def fresh(settings, tmp_path) -> Path:
    """Build into a folder of this test, from the templates and one more folder."""
    building._folder.cache_clear()
    settings.BASE_DIR = tmp_path
    extra = tmp_path / "templates"
    extra.mkdir()
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [extra]}]
    yield extra
    building._folder.cache_clear()


def test_no_class_of_a_template_script_or_python_file_loses_its_style(whole, served) -> None:
    there = classes(served)
    missing = {}
    for file in chain(own_files(), installed_templates()):
        if file.suffix == ".css":
            continue
        text = file.read_text(encoding="utf-8")
        # By other rules than the console's own: whatever is in the quotes of class="…",
        # className = "…", classList.add("…") and css="…", template tags removed.
        quoted = re.findall(
            r"(?:class(?:Name)?\s*[=:]|\"class\":|classList\.\w+\(|css=)\s*"
            r"(\"(?:\{%.*?%\}|\{\{.*?\}\}|[^\"])*\"|'[^']*'|`[^`]*`)",
            text,
        )
        names = set(re.findall(r"[A-Za-z][\w-]*", " ".join(quoted)))
        if gone := names & whole - there:
            missing[str(file)] = gone
    assert missing == {}


def test_it_is_a_small_part_of_tabler(whole, served) -> None:
    assert len(classes(served)) < len(whole) / 10
    assert "btn-primary" in classes(served)
    assert "carousel" not in served
    assert "Licensed under MIT" in served


def test_each_page_needs_at_most_20_kb_of_styles_compressed(served) -> None:
    size = {NAME: len(gzip.compress(served.encode()))}
    for file in STATIC.glob("console/*.css"):
        size[f"console/{file.name}"] = len(gzip.compress(minify(file.read_text()).encode()))
    pages = {}
    for template in TEMPLATES.rglob("*.html"):
        linked = set(re.findall(r"static '([^']+\.css)'", template.read_text(encoding="utf-8")))
        if template.name == "base.html":
            everywhere = linked
        else:
            pages[template.name] = linked
    too_large = {
        page: total
        for page, linked in pages.items()
        if (total := sum(size.get(name, 0) for name in linked | everywhere)) > MOST
    }
    assert NAME in everywhere
    assert too_large == {}


def test_a_new_class_is_there_at_the_next_collectstatic(fresh, settings, tmp_path) -> None:
    settings.STATIC_ROOT = tmp_path / "static"
    settings.STATICFILES_DIRS = []

    def collected() -> set[str]:
        call_command("collectstatic", interactive=False, verbosity=0)
        return classes((tmp_path / "static" / NAME).read_text(encoding="utf-8"))

    assert "carousel" not in collected()
    (fresh / "page.html").write_text('<div class="carousel">')
    assert "carousel" in collected()


def test_names_in_python_files_that_render_no_page_do_not_count() -> None:
    folders = {name for file in own_files() for name in file.relative_to(STATIC.parent).parts}
    assert "views" in folders
    assert folders.isdisjoint({"migrations", "management", "stylesheet"})


def test_it_is_built_only_when_something_has_changed(fresh) -> None:
    file = build() / NAME
    first = file.stat().st_mtime_ns
    build()
    assert file.stat().st_mtime_ns == first
    (fresh / "page.html").write_text('<div class="carousel">')
    build()
    assert file.stat().st_mtime_ns > first
    (fresh / "page.html").unlink()
    build()
    assert "carousel" not in file.read_text()


def test_a_build_that_was_interrupted_is_made_again(fresh) -> None:
    folder = build()
    (folder / "sources.sha256").unlink()
    (folder / NAME).write_text("half")
    assert (build() / NAME).read_text().startswith('@charset "UTF-8";/*!')


def test_it_is_built_elsewhere_where_the_checkout_cannot_be_written(fresh, tmp_path) -> None:
    (tmp_path / "var").write_text("not a folder")
    folder = build()
    assert not folder.is_relative_to(tmp_path)
    assert (folder / NAME).exists()
    shutil.rmtree(folder)


def test_finders_find_it() -> None:
    assert finders.find(NAME) == str(build() / NAME)
    assert finders.find("console/other.css") is None
    assert finders.find("vendor/tabler/tabler.min.css") is None
