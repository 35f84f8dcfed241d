"""Every name that a template, a script or a Python file may give an element is found."""

from __future__ import annotations

from pathlib import Path

import pytest

from console.stylesheet.used_names import UsedNames, read_names


@pytest.fixture
def names(tmp_path):
    def read(name: str, text: str) -> UsedNames:
        file: Path = tmp_path / name
        file.write_text(text, encoding="utf-8")
        return read_names([file])

    return read


@pytest.mark.parametrize(
    "template",
    [
        '<p class="badge">',
        '<p class="first badge last">',
        "<p class='{% if a %}badge{% endif %}'>",
        '<p class="{{ a|yesno:"badge,other" }}">',
        '<p{% if a > b %} class="badge"{% endif %}>',
        '{% icon "plug" css="badge" %}',
        '{% with css="badge" %}{% endwith %}',
        '<p class="bad{# a comment #}ge badge">',
        '<p class="ba-{{ a }} badge-{{ a }} badge">',
    ],
)
def test_it_finds_a_class_of_a_template(names, template) -> None:
    assert names("page.html", template).has("badge")


def test_it_finds_an_attribute_that_a_script_sets(names) -> None:
    assert names("script.js", 'root.dataset.bsTheme = "dark";').has("data-bs-theme")


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("page.html", '<p class="btn-{{ kind }}">'),
        ("page.html", '<p class="btn-{% if a %}primary{% endif %}">'),
        ("script.js", 'button.classList.add("btn-" + kind);'),
        ("script.js", "button.classList.add(`btn-${kind}`);"),
        ("widget.py", 'css = f"btn-{kind}"'),
        ("widget.py", 'css = "btn-" + kind'),
        ("widget.py", 'css = "btn-{}".format(kind)'),
        ("page.html", '<p class="{{ kind }}-primary">'),
        ("script.js", 'button.className = kind + "-primary";'),
        ("script.js", "button.className = `${kind}-primary`;"),
        ("widget.py", 'css = f"{kind}-primary"'),
        ("widget.py", 'css = kind + "-primary"'),
    ],
)
def test_it_finds_a_class_that_is_put_together(names, file, text) -> None:
    found = names(file, text)
    assert found.has("btn-primary")
    assert not found.has("card-body")


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("script.js", 'row.className = "badge";'),
        ("script.js", "row.innerHTML = `<b class='badge'>${text}</b>`;"),
        ("widget.py", 'ATTRS = {"class": "badge"}'),
        ("widget.py", "def f():\n    '''The badge.'''\n    return '<b class=badge>'"),
        ("widget.py", 'f"<b class=badge>{text}</b>"'),
    ],
)
def test_it_finds_a_class_of_scripts_and_python(names, file, text) -> None:
    assert names(file, text).has("badge")


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("page.html", "<p>Your badge</p>"),
        ("page.html", "{# badge #}<p>"),
        ("page.html", "{% comment %}<p class='badge'>{% endcomment %}"),
        ("widget.py", 'def f():\n    """Render the badge."""'),
        ("widget.py", "x = 1  # the badge"),
    ],
)
def test_it_leaves_out_what_people_read(names, file, text) -> None:
    assert not names(file, text).has("badge")


def test_it_takes_custom_properties_from_style_sheets_but_no_classes(names) -> None:
    found = names("page.css", ".badge { color: var(--tblr-red); }")
    assert "--tblr-red" in found.style_words
    assert not found.has("badge")


def test_it_takes_only_whole_names_from_installed_templates(tmp_path) -> None:
    file = tmp_path / "page.html"
    file.write_text('<p class="alert {{ kind }}-group column-{{ n }}">')
    found = read_names([], [file])
    assert found.has("alert")
    assert not found.has("btn-group")
    assert not found.has("column-gap-1")
