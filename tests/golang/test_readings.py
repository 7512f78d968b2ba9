from __future__ import annotations

import pytest

from hrm_ray.golang.readings import readings
from hrm_ray.golang.tree import PACKAGE


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("const (A = 1)", "const (A = 1;)"),
        ("var (\n\ta int\n\tb int /* c */)", "var (\n\ta int\n\tb int /* c */;)"),
        ("type (T int;)", "type (T int;)"),
        ("var ()\nvar x = f(1)", "var ()\nvar x = f(1)"),
        ("const (A = 1 // )\n)", "const (A = 1 // )\n)"),
        ("if a\n\n\tb {\n}", "if a;\n\n\tb {\n}"),
        ("for i := f(\n1)\ni < 3\ni++ {", "for i := f(\n1);\ni < 3;\ni++ {"),
        ("if a ||\n\tb {\n\tx()\n}", "if a ||\n\tb {\n\tx()\n}"),
        ("if\na {", "if\na {"),
        ("{; x();\n\n; y() }", "{{}; x();\n\n{}; y() }"),
        ("for ;; { L: ; }", "for ;; { L: {}; }"),
        ("if; x { switch ; {;} }", "if _; x { switch  _; {{};} }"),
        ("func (r R) M[T any](x T) {}", "func (r R) M       (x T) {}"),
        ("func (r R) M[T,, U](x T) {}", "func (r R) M[T,, U](x T) {}"),
    ],
)
def test_what_the_grammar_lacks_is_written_out(text: str, read: str) -> None:
    assert [*readings(PACKAGE + text.encode())] == [PACKAGE + read.encode()] * (read != text)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("new(1 + x)", "NEW(1 + x)"),
        ("new([]int{1}); make([]int, 1)", "NEW([]int{1}); make([]int, 1)"),
        ("new([]byte(s)); new([]func(s))", "NEW([]byte(s)); new([]func(s))"),
        ("new(map[K]p.V[T]{}); new(map[K]struct{})", "NEW(map[K]p.V[T]{}); new(map[K]struct{})"),
        ("make(chan int); make(map[K]V)", "MAKE(chan int); MAKE(map[K]V)"),
        ("renew(1); x.make(2)", "renew(1); x.MAKE(2)"),
    ],
)
def test_builtins_of_values_have_other_names(text: str, read: str) -> None:
    assert next(readings(PACKAGE + text.encode())) == PACKAGE + read.encode()
