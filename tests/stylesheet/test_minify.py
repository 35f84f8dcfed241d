"""Style sheets are served without comments and white space, and mean the same."""

from __future__ import annotations

from pathlib import Path

import django
import pytest
import tinycss2
from django.conf import settings
from django.core.management import call_command

from console.stylesheet.minify import minify

OWN = sorted((Path(settings.BASE_DIR) / "static" / "console").glob("*.css"))
ADMIN = sorted((Path(django.__file__).parent / "contrib/admin/static/admin/css").rglob("*.css"))


@pytest.mark.parametrize(
    ("css", "minified"),
    [
        ("a { color: red; }", "a{color:red}"),
        ("a,\nb > c { }", "a,b>c{}"),
        ("a b { }", "a b{}"),
        (".a :hover { }", ".a :hover{}"),
        ("a + b { width: calc(1px + 2px); }", "a + b{width:calc(1px + 2px)}"),
        ("a { color: red !important; }", "a{color:red!important}"),
        ('a::before { content: "a  b; /* c */" / ""; }', 'a::before{content:"a  b; /* c */" / ""}'),
        ("a { --empty: ; margin: 0 -1px; }", "a{--empty:;margin:0 -1px}"),
        ("@media (width >= 40rem) {\n  a { b: c; }\n}\n", "@media (width>= 40rem){a{b:c}}"),
        ("/* one */ a /* two */ b { }\n\n/* three */\n\nc { }", "a b{}c{}"),
        ("/*! MIT */\na { }", "/*! MIT */ a{}"),
        ('@charset "UTF-8";\na { }', '@charset "UTF-8";a{}'),
    ],
)
def test_it_removes_only_what_has_no_meaning(css, minified) -> None:
    assert minify(css) == minified


@pytest.mark.parametrize("file", [*OWN, *ADMIN], ids=lambda file: file.name)
def test_all_rules_and_values_stay(file) -> None:
    css = file.read_text(encoding="utf-8")
    assert words(minify(css)) == words(css)


def test_collectstatic_minifies_style_sheets(settings, tmp_path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "page.css").write_text("/* Colors */\na { background: url(dot.svg); }\n")
    (source / "dot.svg").write_text("<svg> </svg>")
    settings.STATICFILES_DIRS = [source]
    settings.STATICFILES_FINDERS = ["django.contrib.staticfiles.finders.FileSystemFinder"]
    settings.STATIC_ROOT = tmp_path / "static"
    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {"BACKEND": "console.stylesheet.storage.MinifiedStaticFilesStorage"}
    }

    call_command("collectstatic", interactive=False, verbosity=0)

    [served] = settings.STATIC_ROOT.glob("page.*.css")
    [image] = settings.STATIC_ROOT.glob("dot.*.svg")
    assert served.read_text() == f'a{{background:url("{image.name}")}}'
    assert image.read_text() == "<svg> </svg>"


def words(css: str) -> list[str]:
    """Return every token that is not white space, a comment or an optional semicolon."""

    def flat(nodes):
        for node in nodes:
            if node.type == "function":
                yield f"{node.name}("
                yield from flat(node.arguments)
                yield ")"
            elif node.type.endswith(" block"):
                yield node.type[0]
                yield from flat(node.content)
                yield node.type[1]
            elif node.type not in {"whitespace", "comment"}:
                yield tinycss2.serialize([node])

    tokens = [*flat(tinycss2.parse_component_value_list(css))]
    return [
        token
        for token, after in zip(tokens, [*tokens[1:], "}"], strict=True)
        if token != ";" or after != "}"
    ]
