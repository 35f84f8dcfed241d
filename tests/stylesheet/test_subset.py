"""Rules that can match stay, word for word; others go."""

from __future__ import annotations

import pytest

from console.stylesheet.subset import subset
from console.stylesheet.used_names import UsedNames


def used(*words: str, style_words: tuple[str, ...] = ()) -> UsedNames:
    return UsedNames(
        words=frozenset(words), style_words=frozenset(style_words), beginnings=(), ends=()
    )


@pytest.mark.parametrize(
    "rule",
    [
        ".btn{color:red}",
        "p{color:red}",
        "p.btn:hover>a::before{color:red}",
        ".btn:not(.card):not(:disabled){color:red}",
        ":is(.card,.btn){color:red}",
        ":where(.btn) a{color:red}",
        "p:has(> .btn){color:red}",
        "#btn{color:red}",
        "input[type=checkbox]{color:red}",
        "[data-theme=dark] p{color:red}",
        "[class*=card-]{color:red}",
        ".btn{color:red!important}",
        ".btn{background:url(\"data:image/svg+xml,%3csvg a='b'/%3e\")}",
        ".btn{margin:calc(1px + -1*var(--x,2px)) -.5rem}",
        "@media (min-width:10px){.btn{color:red}}",
        "@supports (color:red){@media print{.btn{color:red}}}",
        "@font-face{font-family:x}",
    ],
)
def test_it_keeps_what_can_match(rule) -> None:
    assert subset(rule, used("btn", "data-theme", "dark")) == rule


@pytest.mark.parametrize(
    "rule",
    [
        ".card{color:red}",
        ".btn.card{color:red}",
        ".btn .card{color:red}",
        ":is(.card,.row){color:red}",
        ".btn:has(.card){color:red}",
        "#card{color:red}",
        "[data-theme=light]{color:red}",
        "[data-size]{color:red}",
        "@media (min-width:10px){.card{color:red}}",
        "@keyframes turn{to{rotate:1turn}}",
        ".btn{}",
    ],
)
def test_it_removes_what_cannot(rule) -> None:
    assert subset(rule, used("btn", "data-theme", "dark")) == ""


def test_it_removes_single_selectors() -> None:
    css = ".btn,.card,.btn .card,a{color:red}"
    assert subset(css, used("btn")) == ".btn,a{color:red}"


def test_it_keeps_custom_properties_that_are_used_in_any_way() -> None:
    css = (
        ":root{--a:1;--b:var(--c);--c:2;--d:var(--e);--e:3;--own:var(--deep);--deep:4}"
        "p{margin:calc(1px*var(--b))}"
    )
    assert subset(css, used(style_words=("--own",))) == (
        ":root{--b:var(--c);--c:2;--own:var(--deep);--deep:4}p{margin:calc(1px*var(--b))}"
    )


def test_it_keeps_animations_that_are_used_in_any_way() -> None:
    frames = "@keyframes turn{to{rotate:1turn}}"
    for rule in ("p{animation:1s turn}", ":root{--x:turn 1s}p{animation:var(--x)}"):
        assert frames in subset(frames + rule, used())
    assert frames in subset(frames, used(style_words=("turn",)))


def test_it_refuses_what_it_does_not_understand() -> None:
    with pytest.raises(ValueError, match="Cannot read"):
        subset("p{color:red;.btn{color:blue}}", used())
