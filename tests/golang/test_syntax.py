from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hrm_ray.golang.syntax import MOST_NODES, DiagnosticKind, parse_file_ok, validate
from hrm_ray.golang.tree import parse_fragment

GO_LIKE = st.lists(
    st.sampled_from(
        [*"(){}[];,.:=*&\n \t`'\"", "func", "f", "type", "var x", "go", "if", "return", "// c\n", ":=", "é"]
    ),
    max_size=40,
).map(" ".join)

VALID = [
    "func f() {}",
    "func f(a, b int, c ...string) (x, y error)",
    "func (r *R) M(int, string) error {\n\treturn nil\n}",
    "func f(min, uint64, b int) {}",
    "func F[T any](x T) (y T) { return x }",
    'type T struct {\n\ta, b int `json:"a"`\n\t*E\n}',
    "type I interface {\n\tA(x int)\n\t~int | string\n}",
    "type (\n\tA int\n\tB = A\n)",
    "const (\n\tA = iota\n\tB\n)",
    "var x = T{\n\ta: 1,\n\tb: 2,\n}",
    "var x = T{a: 1, b: 2}",
    "var x = 1; var y = 2",
    "func f() {\n\tgo g()\n\tdefer func() {}()\n\tgo []byte(x)\n}",
    "func f() {\n\tfor i, x := range y {\n\t}\n\tselect {\n\tcase a, ok := <-c:\n\t\tg(a)\n\tdefault:\n\t}\n}",
    "func f() {\n\tswitch y := x.(type) {\n\tcase int:\n\t\tg()\n\tcase string:\n\t}\n}",
    "func f() {\n\tx.a(\n\t\tfunc() {\n\t\t\tg()\n\t\t},\n\t).\n\t\tb()\n}",
    "func f() {\n\tx = a + // why\n\t\tb\nL:\n\tfor {\n\t\tbreak L\n\t}\n}",
    "// Doc.\n/* and\nmore */\nfunc f() {} // behind",
    'func f() { s = `a\nb` + "é" }',
    "func f() { x := new(1 + x); y := new(pkg.F(x)); z := new([]int{1}) }",
    "func f() { x := new(T); y := make([]int, 3); z := make(chan int); w := new(struct{}); v := new([]int) }",
    "func new(x int) { x.make(y) }",
    "func f() { x = []byte(); g([]byte(), [3]int()) }",
    "func f() {\n\t; x()\n\tif y { ; z() }\n}",
    "type A[T any] = []T",
    "var x = a[b | c](d) + e[f | g]; var y A[interface{ ~int | string }, /* | */ B[C]]",
    "type A = B[int]\n\ntype C[K comparable, V interface{ ~int | ~string }] map[K]V",
    "func (r R) M[T ~int | []string](x T) {}",
    "func (r R) M[\n\tF func(int) (T, error), // (why\n](x F) {\n\tx(new(1))\n}",
    "func f() { x := new(struct{}{}); y := make([]int, 3); z := new(func() *int { return new(3) }) }",
    "func f() {\n\tif a {\n\t\tif b {\n\t\t\tg()\n\t\t}\n\t}\n\tswitch x.y {\n\tcase 0:\n\t\ta, b, c = g(a)\n\t}\n}",
    "// Doc.\r\nfunc f() {\r\n\tx := []int{\r\n\t\t1,\r\n\t}\r\n}\r\n",
    "const (\n\tA = 1\n\tB = 2)",
    "func f() {\n\tswitch x\n\t{\n\t}\n}",
    "func f() {\n\tswitch x { case 1: g() /* c */\n\tcase 2: case 3: g(); default: }\n}",
    "func f() { x = a - -b; y = <-<-c; z = !!ok; w = a &^ ^b; v = &T{}; u = **p; t = a<<-b; s = a < -b }",
    r"var x = '\'' + '\xEF' + '\u00e9' + '\U0010FFFF' + '\377' + 'é'",
    r'var x = "\"\xEF\a\\\U0001f600"',
    "func f(x ...int) (y, z int) { g(x...); g(x..., /* c */\n) }",
    "func f(a, b, c, d, e, f, g, h, i, j, k, l int, m, n func(o, p, q, r, s, t, u, v, w, x, y int)) (z error)",
    "func (nil T) f(a, b, c, d, e, f, g, h, i, j, k, l T, x ...int) {}",
    "const (A = 1)\nvar (a int)\ntype (T int; U = T)",
    "const (\n\tA = f(\n\t\t1)\n\tB; C /* c */)",
    "const (\n\tA = `)`\n\tB = \"(\" // )\n\tC = '(')\nvar ()",
    "func f() {\n\tif a\n\tb == c {\n\t}\n\tfor i := 0\n\ti < n\n\ti++ {\n\t}\n}",
    "func f() { x := new([]int{1}); y := make([]int, n); z := new(map[string]T[int]{}); w := make(chan int) }",
    "func f() { x := new([]byte(s)); y := new(**p.q); z := make(map[string]func()) }",
    "func f() { nil := 1; true, iota := 2, 3; for false := range x {} }",
    "func f() {\n\tswitch x { case 1: ; y() }\n\tselect {\n\tdefault:\n\t\t; z() }\n}",
    "func f() { x();; y(); ; }",
    "func f() {;{;}; L: ; if x {\n}\n;\n; y() }",
    "func f() { if; x {}; switch ; y := x.(type) {}; for ;; { ; } }",
    "func f() { switch { case x: L: ; case y: M: {}; default: N: } }",
    "func f() { switch x := 1\n{ }; switch x := 1; y\t{ } }",
    "func f() { if x == (T{}) {}; for _, y := range []T{{1}} {}; switch f(T{}) {} }",
    "func f() { if a[T{}] == func() T { return T{} }() {} }",
    "func f() { if x := map[string]T{}; x != nil {} }",
    "func f() { if x := make([]int, T{}.n); a[T{}.i:] == []byte(T{}) {}; for range []T{T{}} {} }",
    "func f() { x /* c */, y := 1, 2 }",
    "var (\n\ta int\n\tb = 2\n)\nvar (\n\ta int\n)",
    "func f() { switch x.(type) { case int: ; y() }; select { case <-c: ; z() } }",
    "func f() { for i := 0; ; i = f(T{}) {}; switch x := y.(type) {} }",
    'var 世界, é1, _٣ = a.ñ, `x²`, "x\u0301" // x\u0301',
    "var x = `a\fb` + \"\v\"; /* \f */ var y = '\f'",
    "const (\n\tx, y = iota, 1\n\t_, _\n)\nfunc f() { const a T = 1 }",
    "func f() { x, y = 1, 2; x += 1; x.y &^= z; a[0], *p = q() }",
    "var x = 0x1p-2 + 0b1 + 0o7 + 1_000 + .5 + 1. + 1e9i + '世' + 'a'",
    "//go:build linux\n\n//go:noinline\nfunc f()",
]

INVALID = [
    ("", DiagnosticKind.EMPTY, 1),
    ("// only a comment\n", DiagnosticKind.EMPTY, 1),
    ("func f() {}\n\ud800", DiagnosticKind.ENCODING, 2),
    ("func f() {\x00}", DiagnosticKind.ENCODING, 1),
    ('var x = "\ufeff"', DiagnosticKind.ENCODING, 1),
    ("Here is the function that you asked for.", DiagnosticKind.SYNTAX_ERROR, 1),
    ("foo bar", DiagnosticKind.MISSING_TOKEN, 1),
    ("func f() {\n\tx := \n}", DiagnosticKind.MISSING_TOKEN, 2),
    ("func f() {\n\tif x {\n}", DiagnosticKind.UNBALANCED, 1),
    ("func f() {\n}\n}", DiagnosticKind.UNBALANCED, 3),
    ("func f() { g(] }", DiagnosticKind.UNBALANCED, 1),
    ("foo", DiagnosticKind.NOT_A_DECLARATION, 1),
    ("x := 1", DiagnosticKind.NOT_A_DECLARATION, 1),
    ("var y int\nreturn y", DiagnosticKind.NOT_A_DECLARATION, 2),
    ('import "fmt"', DiagnosticKind.NOT_A_DECLARATION, 1),
    ("package q\n\nfunc f() {}", DiagnosticKind.NOT_A_DECLARATION, 1),
    ("func (r *R) (a int) {}", DiagnosticKind.NOT_A_DECLARATION, 1),
    ("func f()\n{\n}", DiagnosticKind.NOT_A_DECLARATION, 2),
    ("var x = T{\n\ta: 1,\n\tb: 2\n}", DiagnosticKind.LINE_END, 3),
    ("func f() {\n\tg(\n\t\ta\n\t)\n}", DiagnosticKind.LINE_END, 3),
    ("func f() {\n\tif x\n\t{\n\t}\n}", DiagnosticKind.LINE_END, 2),
    ("func f() {\n\tg(a\n\t\t+ b)\n}", DiagnosticKind.LINE_END, 2),
    ("func f(\n\ta int\n) {}", DiagnosticKind.LINE_END, 2),
    ("func f() {\n\tgo x\n}", DiagnosticKind.NOT_A_CALL, 2),
    ("func f() {\n\tdefer (x())\n}", DiagnosticKind.NOT_A_CALL, 2),
    ("func f() {\n\ta.b := 1\n}", DiagnosticKind.NOT_A_NAME, 2),
    ("func f() {\n\tfor a[0] := range b {\n\t}\n}", DiagnosticKind.NOT_A_NAME, 2),
    ("func f(a, b uint64, int) {}", DiagnosticKind.PARAMETERS, 1),
    ("func () f() {}", DiagnosticKind.PARAMETERS, 1),
    ("func (a A, b B) f() {}", DiagnosticKind.PARAMETERS, 1),
    ("func f() {\n\tgo x\n\tg(a\n\t\t+ b)\n}", DiagnosticKind.NOT_A_CALL, 2),
    ("func f() {\n\tg(a\n\t\t+ b)\n\tgo x\n}", DiagnosticKind.LINE_END, 2),
    ("func f() {\n\tg(func() {\n\t\tgo x\n\t}\n\t)\n}", DiagnosticKind.NOT_A_CALL, 3),
    ("func f() {\n\tg(func() {}\n\t, func() {\n\t\tgo x\n\t})\n}", DiagnosticKind.LINE_END, 2),
    ("func (a A, b, C) f() {}", DiagnosticKind.PARAMETERS, 1),
    ("func (r R) M[T any {](x T) {}", DiagnosticKind.UNBALANCED, 1),
    ("func (r R) M[T,, U any](x T) {}", DiagnosticKind.SYNTAX_ERROR, 1),
    ("func f() { x := new(1 +) }", DiagnosticKind.MISSING_TOKEN, 1),
    ("func f() {\n\tx := new(1)\n\ty = = 2\n}", DiagnosticKind.SYNTAX_ERROR, 3),
    ("func f() { x := ++y }", DiagnosticKind.SYNTAX_ERROR, 1),
    ("func f() {\n\tx := a++b\n}", DiagnosticKind.SYNTAX_ERROR, 2),
    ("func f() { x := &&y }", DiagnosticKind.SYNTAX_ERROR, 1),
    ("func f() { x := a<-b }", DiagnosticKind.SYNTAX_ERROR, 1),
    (r'var x = "\z"', DiagnosticKind.SYNTAX_ERROR, 1),
    (r"""var x = "\'" """, DiagnosticKind.SYNTAX_ERROR, 1),
    (r"var x = '\ud800'", DiagnosticKind.SYNTAX_ERROR, 1),
    (r"var x = '\400'", DiagnosticKind.SYNTAX_ERROR, 1),
    ("var x = T{,}", DiagnosticKind.SYNTAX_ERROR, 1),
    ("func f() { g(,) }", DiagnosticKind.SYNTAX_ERROR, 1),
    ("func f() { a.g(,) }", DiagnosticKind.MISSING_TOKEN, 1),
    ("func f() { a.g([](,)) }", DiagnosticKind.SYNTAX_ERROR, 1),
    ("type T struct {\n\t; x int\n}", DiagnosticKind.SYNTAX_ERROR, 2),
    ("func f(,\n) {}", DiagnosticKind.SYNTAX_ERROR, 1),
    ("func f() {\n\tswitch x {\n\tcase 1: return y case 2:\n\t}\n}", DiagnosticKind.SYNTAX_ERROR, 3),
    ("func f(x ~int) {}", DiagnosticKind.SYNTAX_ERROR, 1),
    ("type T struct{ x ~int }", DiagnosticKind.SYNTAX_ERROR, 1),
    ("var x p.T[a, b | c]", DiagnosticKind.SYNTAX_ERROR, 1),
    ("func (r R[~T]) m() {}", DiagnosticKind.SYNTAX_ERROR, 1),
    ("func f(x ...int, y int) {}", DiagnosticKind.PARAMETERS, 1),
    ("func f() (x ...int) {}", DiagnosticKind.PARAMETERS, 1),
    ("type I interface {\n\tM(...int) (...int)\n}", DiagnosticKind.PARAMETERS, 2),
    ("func f(a, b ...int) {}", DiagnosticKind.PARAMETERS, 1),
    ("func f(a, b, c, d, e, f, g, h, i, j, k, l ...int) {}", DiagnosticKind.PARAMETERS, 1),
    ("func f(a, b, c, d, e, f.F, g, h, i, j, k, l int) {}", DiagnosticKind.PARAMETERS, 1),
    ("func (r ...R) f() {}", DiagnosticKind.PARAMETERS, 1),
    ("func (r, s R) f() {}", DiagnosticKind.PARAMETERS, 1),
    ("func f() { g(a..., b) }", DiagnosticKind.SYNTAX_ERROR, 1),
    ("func f() {\n\tfor i := 0; ; i := 1 {\n\t}\n}", DiagnosticKind.SYNTAX_ERROR, 2),
    ("func f() {\n\tfor i, j, k := range x {\n\t}\n}", DiagnosticKind.SYNTAX_ERROR, 2),
    ("func f() {\n\tfor i, j, k = range x {\n\t}\n}", DiagnosticKind.SYNTAX_ERROR, 2),
    ("func f() {\n\tselect {\n\tcase x, y, z := <-c:\n\t}\n}", DiagnosticKind.SYNTAX_ERROR, 3),
    ("func f() {\n\tselect {\n\tcase a.b, c := <-d:\n\t}\n}", DiagnosticKind.NOT_A_NAME, 3),
    ("func f() {\n\tswitch x.(type) {\n\tcase int: y() case bool:\n\t}\n}", DiagnosticKind.SYNTAX_ERROR, 3),
    ("func f() {\n\tselect {\n\tcase <-c: y() case <-d:\n\t}\n}", DiagnosticKind.SYNTAX_ERROR, 3),
    ("func f() {\n\tswitch {\n\tcase x: y() default:\n\t}\n}", DiagnosticKind.SYNTAX_ERROR, 3),
    ("func f() { x, y += 1 }", DiagnosticKind.SYNTAX_ERROR, 1),
    ("func f() { switch x, y := z.(type) {} }", DiagnosticKind.SYNTAX_ERROR, 1),
    ("func f() {\n\tif x := T{}; x.y {\n\t}\n}", DiagnosticKind.SYNTAX_ERROR, 2),
    ("func f() { if x == p.T{} {} }", DiagnosticKind.SYNTAX_ERROR, 1),
    ("func f() { if x == T{1}[0] {} }", DiagnosticKind.SYNTAX_ERROR, 1),
    ("func f() { for range p.T{1}.x[1:] {} }", DiagnosticKind.SYNTAX_ERROR, 1),
    ("func f() { for x := T[int]{}; ; {} }", DiagnosticKind.SYNTAX_ERROR, 1),
    ("func f() { switch x := T{}; x {} }", DiagnosticKind.SYNTAX_ERROR, 1),
    ("func f() { switch x := T{}; y := x.(type) {} }", DiagnosticKind.SYNTAX_ERROR, 1),
    ("func f() { switch x {\n\tcase ; 1:\n\t} }", DiagnosticKind.SYNTAX_ERROR, 2),
    ("func f() { switch x {\n\tcase 1;:\n\t} }", DiagnosticKind.SYNTAX_ERROR, 2),
    ("func f() { switch x {\n\t; case 1:\n\t} }", DiagnosticKind.SYNTAX_ERROR, 2),
    ("const (A = 1;; B)", DiagnosticKind.SYNTAX_ERROR, 1),
    ("type T struct {\n\tx int;; y int\n}", DiagnosticKind.SYNTAX_ERROR, 2),
    ("var x int;;", DiagnosticKind.NOT_A_DECLARATION, 1),
    ("var x int;;var y int", DiagnosticKind.NOT_A_DECLARATION, 1),
    ("func f() { switch x := y\n.(type) {} }", DiagnosticKind.LINE_END, 1),
    ("func f() { switch x := y;\n\tx\n{} }", DiagnosticKind.LINE_END, 2),
    ("func f() {\n\tswitch {\n\tcase x:\n\t\tL: // c\n\tdefault:\n\t}\n}", DiagnosticKind.SYNTAX_ERROR, 4),
    ("const c", DiagnosticKind.SYNTAX_ERROR, 1),
    ("const (\n\tA = iota\n\tB int\n)", DiagnosticKind.SYNTAX_ERROR, 3),
    ("var x = 0xf.y", DiagnosticKind.SYNTAX_ERROR, 1),
    ("func f() { g(a..., // )\n\tb) }", DiagnosticKind.SYNTAX_ERROR, 1),
    ("func f() { g(a..., " + "/**/" * 60 + "b) }", DiagnosticKind.SYNTAX_ERROR, 1),
    ("func f() { g(1...) }", DiagnosticKind.SYNTAX_ERROR, 1),
    ("var x = '\n'", DiagnosticKind.SYNTAX_ERROR, 1),
    ("var x = a /* b", DiagnosticKind.SYNTAX_ERROR, 1),
    ("func f() {\f}", DiagnosticKind.SYNTAX_ERROR, 1),
    ("func f() {\n\v}", DiagnosticKind.SYNTAX_ERROR, 2),
    ("var x\u0301 = 1", DiagnosticKind.SYNTAX_ERROR, 1),
    ("type Ⅷ int", DiagnosticKind.SYNTAX_ERROR, 1),
    ("const (A = 1 B = 2)", DiagnosticKind.MISSING_TOKEN, 1),
    ('func f() {\n\tg("a)\n}', DiagnosticKind.SYNTAX_ERROR, 2),
    ("func f() { x := " + "1 + " * 200_000 + "1 }", DiagnosticKind.SYNTAX_ERROR, 1),
    ("case x:\n" * 4_000, DiagnosticKind.SYNTAX_ERROR, 1),
    ("\0" * (1 << 20), DiagnosticKind.ENCODING, 1),
]


@pytest.mark.parametrize("text", VALID)
def test_valid_declarations(text: str) -> None:
    assert validate(text) is None
    assert validate(text + "\n") is None


@pytest.mark.parametrize(("text", "kind", "line"), INVALID)
def test_what_is_wrong_and_where(text: str, kind: DiagnosticKind, line: int) -> None:
    found = validate(text)
    assert found is not None
    assert (found.kind, found.line) == (kind, line)
    assert found.column >= 1
    assert found.message


@pytest.mark.parametrize(
    ("text", "line", "column", "message"),
    [
        ("func f() { é.b := 1 }", 1, 12, ":= declares names only"),
        ('func f() { g("é"); a.b := 1 }', 1, 21, ":= declares names only"),
        ("var x int // é\nvar é\0", 2, 7, "a character that Go refuses"),
        ("\n\n\nprose that says nothing", 4, 1, "this does not parse: prose that says"),
        ("func f() {\n\tx := a ? b : c\n}", 2, 7, "this does not parse: a ? b :"),
        ("func f() {\n\tx = \x1b[31]\n}", 2, 2, "this does not parse: x = \N{REPLACEMENT CHARACTER}[31]"),
        ("func f() {\n\tvar x\n}", 2, 7, "expected type identifier"),
        ("func f() {\n\tg(a, b\n\th()\n}", 2, 3, "( is never closed"),
        ("func f() {\n\tg('a)\n}", 2, 4, "this rune is never closed"),
        ("x := 1", 1, 1, "only declarations stand here: short var declaration"),
    ],
)
def test_a_diagnostic_says_what_and_where_in_bytes(text: str, line: int, column: int, message: str) -> None:
    found = validate(text)
    assert found is not None
    assert (found.line, found.column, found.message) == (line, column, message)


def test_kinds_are_checked_in_number_and_order_and_names_are_not() -> None:
    text = "func f() {}\n\ntype T int"
    assert validate(text, ["function", "type"]) is None
    assert validate(text.replace("f()", "g()"), ["function", "type"]) is None
    for kinds, kind, line in [
        (["function"], DiagnosticKind.WRONG_COUNT, 3),
        (["function", "type", "var"], DiagnosticKind.WRONG_COUNT, 3),
        ([], DiagnosticKind.WRONG_COUNT, 1),
        (["function", "var"], DiagnosticKind.WRONG_KIND, 3),
        (["method", "type"], DiagnosticKind.WRONG_KIND, 1),
    ]:
        found = validate(text, kinds)
        assert found is not None
        assert (found.kind, found.line) == (kind, line)


@given(st.text(max_size=60) | GO_LIKE)
@example("\ud800")
@example("\r\n\x00")
def test_never_raises_and_points_into_the_text(text: str) -> None:
    found = validate(text, ["function"])
    if found is not None:
        assert 1 <= found.line <= text.count("\n") + 2
        assert found.column >= 1


MANY = 20_000
PIECES = [
    "(",
    "[",
    "{",
    "func f() {",
    "if x {\n",
    "T{",
    "[a",
    "A[",
    '"',
    "`",
    "'",
    "/*",
    "switch {",
    "case 1: ",
    ",",
    "~",
    "!",
]


@pytest.mark.parametrize("piece", [*PIECES, "foo bar ", ".b()", "+ ", "new(1+", "a int, ", "\\z", "<-", "é", "1 +\n"])
@pytest.mark.parametrize("before", ["", "func f() { x = "])
def test_any_piece_repeated_ends(piece: str, before: str) -> None:
    assert validate(before + piece * MANY) is not None


@pytest.mark.parametrize("depth", [10_000, 100_000])
@pytest.mark.parametrize("closed", [True, False])
def test_deep_nesting_ends(depth: int, closed: bool) -> None:
    found = validate("func f() { x = " + "(" * depth + "1" + (")" * depth + " }" if closed else ""))
    assert (found is None) is (closed and depth == 10_000)
    if depth == 10_000 and found is not None:
        assert found.kind == DiagnosticKind.UNBALANCED


def test_what_is_judged_is_bounded_in_nodes() -> None:
    text = "func f() " + "{" * 30_000 + "}" * 30_000
    assert parse_fragment(text).descendant_count > MOST_NODES
    found = validate(text)
    assert found is not None
    assert found.message == "too long, or too hard to parse"


@pytest.mark.parametrize(
    ("source", "ok"),
    [
        ('// Licence.\n\npackage p\n\nimport "fmt"\n\nfunc f() {}', True),
        ("package p", True),
        ("package p\n\nvar x = new(1 + 2)\n", True),
        ("package p\n\nfunc (r R) M[T any](x T) {}\n", True),
        ('package p\n\nvar x int\nimport "fmt"\n', False),
        ("package p\n\nfunc f() { go x }\n", False),
        ("", False),
        ("func f() {}", False),
        ("package p\nx := 1\n", False),
        ("package p\npackage q\n", False),
        ("package p\nfunc f() {", False),
        ("func f() {}\npackage p\n", False),
    ],
)
def test_whole_files(source: str, ok: bool) -> None:
    assert parse_file_ok(source) is ok
