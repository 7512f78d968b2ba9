from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hrm_ray.golang.readings import in_place, readings
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
        ("func (r R) M[T any](x T) {}", "func (r R) M(       x T) {}"),
        ("func (r R) M[\n\tF func(int) T, // (c\n] (x F) {}", "func (r R) M( \n                     \n  x F) {}"),
        ("func (r R) M[T any](x T) {}\nfunc (r R) N[U any]()", "func (r R) M(       x T) {}\nfunc (r R) N(       )"),
        ("func f() { func(r R) M[T any](x T) {} }", "func f() { func(r R) M[T any](x T) {} }"),
        ("func (r R) M[T,, U](x T) {}", "func (r R) M[T,, U](x T) {}"),
    ],
)
def test_what_the_grammar_lacks_is_written_out(text: str, read: str) -> None:
    assert [*readings(PACKAGE + text.encode())] == [PACKAGE + read.encode()] * (read != text)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("const ( A = 1 )", "const ( A = 1;)"),
        ("if a\n\n\tb {\n}", "if a;\n\tb {\n}"),
        ("func (r R) M[\n\tT any,\n] (x T) {}", "func (r R) M \n       \n  (x T) {}"),
        ("{; x() }; const (A = 1)", "{; x() }; const (A = 1)"),
    ],
)
def test_in_place_everything_stays_where_it_is(text: str, read: str) -> None:
    assert [*in_place(PACKAGE + text.encode())] == [PACKAGE + read.encode()] * (read != text)


PARTS = [
    "func ",
    "(r R) ",
    "M",
    "[T any]",
    "(x T) ",
    "{}",
    "\n",
    "new(",
    "1",
    ")",
    "const (",
    "A = 1",
    "; ",
    "if a",
    "\t",
    "`",
    "//",
]


@given(st.lists(st.sampled_from(PARTS), max_size=30).map("".join) | st.text(max_size=40))
def test_in_place_nothing_changes_its_length(text: str) -> None:
    data = PACKAGE + text.encode("utf-8", "surrogatepass")
    assert {len(form) for form in in_place(data)} <= {len(data)}


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("new(1 + x)", "New(1 + x)"),
        ("new([]int{1}); make([]int, 1)", "New([]int{1}); make([]int, 1)"),
        ("new(struct{}{}); make([]int, 3); new(T)", "New(struct{}{}); make([]int, 3); new(T)"),
        ("new([]byte(s)); new([]func(s))", "New([]byte(s)); new([]func(s))"),
        ("new(map[K]p.V[T]{}); new(map[K]struct{})", "New(map[K]p.V[T]{}); new(map[K]struct{})"),
        ("new(func() *int { return new(3) })", "New(func() *int { return New(3) })"),
        ("new([len(*new(3))]int)", "new([len(*New(3))]int)"),
        ("make(chan int); make(map[K]V)", ""),
        ("renew(1); x.make(2); `new(1)` // new(1)", ""),
    ],
)
def test_builtins_of_values_have_other_names(text: str, read: str) -> None:
    assert [*readings(PACKAGE + text.encode())] == [PACKAGE + read.encode()] * bool(read)
