from __future__ import annotations

import pytest

from hrm_ray.golang.diagnostic import DiagnosticKind
from hrm_ray.golang.lexemes import LEXEME, unclosed
from hrm_ray.golang.tree import PACKAGE


@pytest.mark.parametrize(
    "text",
    [
        "",
        "func f() { g([]int{1}) }",
        "var x = \")\" + `(` + '{' // ]",
        "const (A = '\\'') /* ( */ var y = \"\\\"(\"",
        "/* ( // */ var x = `\n\\`",
        "// a {\nvar x int // b (",
    ],
)
def test_what_is_closed(text: str) -> None:
    assert unclosed(PACKAGE + text.encode()) is None


@pytest.mark.parametrize(
    ("text", "line", "column", "message"),
    [
        ("f()\n\t)", 2, 2, "nothing opens this )"),
        ("f(\n\tg[1)", 2, 3, "[ is never closed"),
        ("f(g()", 1, 2, "( is never closed"),
        ("const (\n\tA = 1", 1, 7, "( is never closed"),
        ('é = "a)\n}', 1, 6, "this string is never closed"),
        ('x = "\\"', 1, 5, "this string is never closed"),
        ("x = '", 1, 5, "this rune is never closed"),
        ("x = `a\n\n", 1, 5, "this string is never closed"),
        ("x /* a\n//*", 1, 3, "this comment is never closed"),
        ("/*/", 1, 1, "this comment is never closed"),
    ],
)
def test_what_is_not_closed_and_where(text: str, line: int, column: int, message: str) -> None:
    found = unclosed(PACKAGE + text.encode())
    assert found is not None
    assert (found.line, found.column, found.message) == (line, column, message)
    assert (found.kind == DiagnosticKind.UNBALANCED) is ("this " not in message or "nothing" in message)


@pytest.mark.parametrize("quoted", ['"' + r"\"" * 3, "'" + r"\'" * 3, "`a", "/* a /* b", "/*/"])
def test_what_is_never_closed_is_one_lexeme(quoted: str) -> None:
    assert LEXEME.fullmatch(quoted.encode())
