"""The tree of what tree-sitter's grammar lacks: nothing of the text is lost, and nothing is shown in other words."""

from __future__ import annotations

import re

import pytest

from hrm_ray.golang.fragment import fragment
from hrm_ray.golang.layout import layout
from hrm_ray.golang.leaves import leaves, same_leaves
from hrm_ray.golang.syntax import validate
from hrm_ray.golang.tree import text_of

VALUES = [
    *("5", '"s"', "-1", "!b", "x.y", "f(1)", "[]byte(s)", "*p", "&x", "a + b", "struct{}{}", "T{}", "[]int{1}"),
    *("func() int { return 1 }()", "G[int](3)", "p.G[K, V]{k: v}", "x.(T)", "(x)", "<-c", "new(new(x))", "a[b[c]]"),
    *("[...]int{1, 2}", "chan int(nil)", "(*T)(nil)", "func(int)(nil)", "`raw (`", "f(a, b...)", "map[K][]V(m)"),
    *("cond(func() bool { return new(1) != nil })", "x /* ) */", "struct{ f func(int) }{nil}", "T[[]int]{}"),
]
METHODS = [
    "func (s *Set) Map[U any](f func(int) U) []U { return nil }",
    "func (s *Set[K, V]) M[U any, W interface{ ~int; M() }](f func(K) U) (a []U, err error) {\n\treturn\n}",
    "func (s Set) M[\n\tT any, // the type (of it)\n\tK comparable,\n](x T) {}",
    "func (Set) M[T any]()",
    "func (s (*Set)) M[F func(int) (string, error)](f F)",
    "// Of func (x) y[T](z).\nfunc (s *Set) M[U any](u U) {\n\tv := new(5)\n}\n\nfunc (s *Set) N[A, B any](a A) {}",
    "func (s *Set) M[T interface {\n\tint | string\n}](x T) { s.N[int](x) }",
    "func(s *Set)M[T any](x T){}",
    "func (世 *界) 方[类 any](x 类) {}",
    "func (s *Set) /* a */ M /* b */ [T /* ( */ any,] /* c */ (x T) {}",
]
OTHERS = [
    *("type ( A = bool; B = int )", "type ( A = bool\n\tB = int )", "type G[T any, C D] = H[T, string, C]"),
    *(
        "const (A = 1)",
        "const (A, B = 1, 2; C = 3 /* c */)",
        "var (x = f(1); y = g[T](new(2)))",
        "func f() { v := a[a[i]] }",
    ),
    *(
        "func f() {\n\tif a\n\tb == c {\n\t\tg()\n\t}\n}",
        "func f() {\n\tfor i := 0\n\ti < n\n\ti++ {\n\t\tg(new(i))\n\t}\n}",
    ),
]
TEXTS = [
    *(f"var x = new({value})" for value in VALUES),
    *(f"func f() {{\n\ty := new({value})\n\tuse(y, new(T), make([]int, 3))\n}}" for value in VALUES),
    *METHODS,
    *OTHERS,
]


def squeezed(text: str) -> str:
    """A text without comments, blanks and commas that end a list."""
    return re.sub(r",(?=[)\]}])", "", re.sub(r"//[^\n]*|/\*.*?\*/|\s", "", text))


@pytest.mark.parametrize("text", TEXTS)
def test_every_token_is_a_leaf_as_it_is_written(text: str) -> None:
    assert layout(f"package p\n\n{text}").error == ""
    assert validate(text) is None
    for written in (text, text.replace("\n", "\r\n"), f"var before = new(1)\n\n{text}\n\ntype Behind int"):
        assert squeezed("".join(leaves(written))) == squeezed(written)


@pytest.mark.parametrize("text", [one for one in TEXTS if "const (A" not in one and "var (x" not in one])
def test_its_tree_has_no_error(text: str) -> None:
    assert not fragment(text).root.has_error


@pytest.mark.parametrize("text", METHODS)
def test_methods_have_their_type_parameters(text: str) -> None:
    found = fragment(text)
    for method in found.declarations:
        assert method.type == "method_declaration"
        given = found.type_parameters(method)
        assert given is not None
        assert text_of(given).startswith("[")
        assert text_of(given).endswith("]")


def test_type_parameters_are_walked_in_their_place() -> None:
    kinds = [kind for _, kind, _ in fragment("func (r R) M[T any](x T) {}").walk()]
    at = kinds.index("type_parameter_list")
    assert kinds[at - 1] == "field_identifier"
    assert kinds.index("type_parameter_declaration") > at
    assert "parameter_list" in kinds[at:]


def test_what_differs_in_type_parameters_alone_differs() -> None:
    assert not same_leaves("func (r R) M[T any](x T) {}", "func (r R) M[T int](x T) {}")
    assert same_leaves("func (r R) M[T any](x T) {}", "func (r R) M[\n\tT any,\n](x T) {\n}")
    assert not same_leaves("var x = new(1)", "var x = New(1)")


@pytest.mark.parametrize("text", ["", "func f( {}", "new(", "func (r R) M[T any", "\ud800", "}" * 100, "const (A = )"])
def test_it_never_fails(text: str) -> None:
    assert all(node.end_byte > 0 for node in fragment(text).tokens())


def test_nested_values_are_read_in_bounded_time() -> None:
    deep = f"var x = {'new(' * 5_000}1{')' * 5_000}"
    assert len(leaves(deep)) > 10_000
    assert leaves(f"func f() {{ {'new(1); ' * 5_000} }}").count("new") == 5_000
