from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hrm_ray.golang.leaves import LAYOUT, distance, leaves, same_leaves, similarity

TOKENS = st.lists(st.sampled_from("abc")).map(tuple)


def test_tokens_without_comments_and_package() -> None:
    assert leaves('// Doc.\nfunc f() { g("a b", `c\n`) /* x */ } // end') == (
        *("func", "f", "(", ")", "{", "g", "(", '"a b"', ",", "`c\n`", ")", "}"),
    )
    assert leaves("") == ()


def test_layout_does_not_count() -> None:
    assert leaves("var x = T{a, b}") == leaves("var x = T{\n\ta,\n\n\tb, // why\n}\n")
    assert leaves("var x = T{a, b}") != leaves("var x = T{b, a}")


def test_any_text_has_leaves() -> None:
    assert "\ud800" in "".join(leaves("var x = \ud800"))
    assert len(leaves("func f() { x = " + "(" * 50_000)) > 50_000


def test_distance_counts_tokens() -> None:
    assert distance(leaves("var x = 1"), leaves("var longName = 1 + 2")) == 3
    assert similarity(leaves("var x = 1"), leaves("var y = 1")) == 0.75
    assert similarity((), ()) == 1


@given(TOKENS, TOKENS)
def test_similarity_is_symmetric_and_bounded(a: tuple[str, ...], b: tuple[str, ...]) -> None:
    assert 0 <= similarity(a, b) == similarity(b, a) <= 1
    assert (similarity(a, b) == 1) == (a == b)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("var a = 1 // one", "var a = 1 /* one */", True),
        ("func f() {\n\tg(a,\n\t\tb)\n}", "func f() { g(a, b) }", True),
        ("var a = f(\n\tb,\n)", "var a = f(b)", True),
        ('var a = "// b"', 'var a = "// c"', False),
        ("var a = `x\n\t// b`", "var a = `x\n\t// c`", False),
        ("var a = '\"' // b", "var a = '\"' // c", True),
        ('var a = "\\"" // b', 'var a = "\\"" // c', True),
        ('var a = "a b"', 'var a = "ab"', False),
        ("type ab int", "type a bint", False),
        ("var a = []int{1, 2}", "var a = []int{1 , 2,\n}", True),
    ],
)
def test_layout_and_comments_make_no_other_leaves(one: str, other: str, same: bool) -> None:
    assert same_leaves(one, other) is same
    assert (leaves(one) == leaves(other)) is same


@pytest.mark.parametrize("quoted", ['"' + r"\"" * 3, "'" + r"\'" * 3, "`a", "/* a /* b", "/*/"])
def test_what_is_never_closed_is_passed_over_at_once(quoted: str) -> None:
    assert LAYOUT.fullmatch(quoted)
