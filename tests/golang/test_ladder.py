"""What is known of a declaration in its file."""

from __future__ import annotations

import pytest

from hrm_ray.golang.ladder import Candidate, Level, Outcome, Verdict, climb, prove
from hrm_ray.golang.sandbox import Sandbox
from hrm_ray.golang.supervisor import Helper

FILE = """package p

import (
	"strings"
	"syscall"

	"a.b/c"
	"a.b/d/v2"
	"a.b/e/v2"
)

type box struct{ width int }

type table [size]int

var order, _ = c.New(c.Order)

func old(x int) string { return strings.Repeat("a", x) }

func caller() string { return old(1) }
"""

VALID = [
    "func old(x int) string { return strings.ToUpper(string(rune(x))) }",
    "func added(b box) int { return b.width }",
    "func added[T any](xs ...T) (n int) {\n\tfor range xs {\n\t\tn++\n\t}\n\treturn\n}",
    "func old(x int) string { return strings.TrimSpace(caller()) }",
    "type added[K comparable, V any] map[K][]V",
    "func added(xs []int) int {\n\tys := append(make([]int, 0, len(xs)), xs...)\n\tcopy(ys, xs)\n\treturn cap(ys)\n}",
    "func added() {\nouter:\n\tfor {\n\t\tfor {\n\t\t\tbreak outer\n\t\t}\n\t}\n\tpanic(nil)\n}",
]

NOT_VALID = [
    ("func old(x int) string {\n\treturn x\n}", 2, "cannot use x"),
    ("func old(x int) string { return strings.Upper(caller()) }", 1, "undefined: strings.Upper"),
    ("func old(x int) string {\n\ty := 1\n\treturn caller()\n}", 2, "declared and not used"),
    ("func old(x int) string {\n\tx.y()\n\treturn caller()\n}", 2, "no field or method y"),
    ("func old(x int) string { for {}; return 1 + nil }", 1, "nil"),
    ("func old(x string) string { return x }", 3, "cannot use 1"),
    ("func caller() string { return old }", 1, "cannot use old"),
    ("func added() int {}", 1, "missing return"),
    ("func added(xs []int) string { return len(xs) }", 1, "cannot use len(xs)"),
    ("func added() { x := 1; c.New() }", 1, "declared and not used"),
    ("func added(r strings.Reader) { r.Foo() }", 1, "r.Foo undefined"),
    ("type box struct{ a, a int }", 1, "redeclared"),
    ("func added() { _ = other; var s string = 1; _ = s }", 1, "cannot use 1"),
    ("func added() int {\n\tc.Run(func() { elsewhere() })\n}", 3, "missing return"),
    ("func added() {\n\tx := c.New()\n\tx := elsewhere(x)\n}", 3, "no new variables"),
    ("type added struct {\n\tinner added\n\tother elsewhere\n}", 1, "invalid recursive type"),
    ("func added() {\nunused:\n\tfor c.Next() {\n\t}\n}", 2, "label unused"),
    ("type added struct{ a, a c.T }", 1, "a redeclared"),
    ('func added() (elsewhere, error) {\n\treturn c.New(), "wrong"\n}', 2, "string does not implement error"),
]

UNKNOWN = [
    "func added() { elsewhere() }",
    "func added() { os.Exit(1) }",
    "func added() int { return c.Thing(1).Field }",
    "func added(b *box) { b.elsewhere() }",
    "func added(b box) { var _ interface{ Elsewhere() } = b }",
    "func added(t *table) int { return t[1] }",
    "func added() { order.Sort() }",
    "func added() { syscall.ElsewhereOnly() }",
    "func added() []int { return []elsewhere{{1}} }",
    "type added struct{ elsewhere }",
    "func added() (c.T, error) { return nil }",
    "func added() { x := 1; switch c.New().(type) { case c.A: g(x) } }",
    "func added() error { return box{} }",
]


@pytest.mark.parametrize("code", VALID)
def test_what_the_file_alone_shows_to_be_right(asked: Helper, code: str) -> None:
    assert climb(Candidate(code, FILE, ("old",) if " old" in code else ()), asked) == Verdict(
        Level.TYPES, Outcome.VALID
    )


@pytest.mark.parametrize(("code", "line", "message"), NOT_VALID)
def test_what_is_wrong_whatever_the_package_is(asked: Helper, code: str, line: int, message: str) -> None:
    found = climb(Candidate(code, FILE, (code.split("(")[0].split()[1],)), asked)
    assert (found.level, found.outcome, found.line) == (Level.TYPES, Outcome.NOT_VALID, line)
    assert message in found.message
    assert found.column >= 1


@pytest.mark.parametrize("code", UNKNOWN)
def test_what_other_files_may_declare_is_unknown(asked: Helper, code: str) -> None:
    found = climb(Candidate(code, FILE), asked)
    assert (found.level, found.outcome, found.line) == (Level.TYPES, Outcome.UNKNOWN, 1)


def test_a_place_is_told_as_the_code_has_it(asked: Helper) -> None:
    """In bytes, from its own first line and column, whatever //line says and whatever stands before it on the line."""
    wrong = 'func added() (string, int) { return "äö", "" }'
    found = climb(Candidate(wrong), asked)
    assert (found.line, found.column) == (1, len(wrong[: wrong.rindex('"') - 1].encode()) + 1)
    beside = "package p\n\nvar before = 1; func added() {}\n"
    assert climb(Candidate(wrong, beside, ("added",)), asked) == found
    moved = climb(Candidate(f"//line other.go:100\n{wrong}"), asked)
    assert (moved.line, moved.column) == (2, found.column)
    above = climb(Candidate("func added() {}", "package p\n\nvar s string = 1\n\nfunc added() {}\n", ("added",)), asked)
    assert (above.outcome, above.line, above.column) == (Outcome.NOT_VALID, -1, 16)


def test_of_a_file_that_is_not_built_here_no_import_is_known(asked: Helper) -> None:
    code, source = "func added() { strings.Elsewhere() }", 'package p\n\nimport "strings"\n'
    assert climb(Candidate(code, source), asked).outcome == Outcome.NOT_VALID
    assert climb(Candidate(code, f"//go:build fork\n\n{source}"), asked).outcome == Outcome.UNKNOWN
    assert climb(Candidate(code, f"//go:build !fork\n\n{source}"), asked).outcome == Outcome.NOT_VALID
    assert climb(Candidate("type T = int", f"//go:build fork\n\n{source}"), asked).outcome == Outcome.VALID


def test_what_other_functions_leave_unused_is_not_the_fault_of_the_code(asked: Helper) -> None:
    broken = "package p\n\ntype box struct{}\n\nfunc other() {\n\tx := 1\n}\n"
    assert climb(Candidate("type box struct{ width int }", broken, ("box",)), asked).outcome == Outcome.VALID
    assert climb(Candidate("func other() {\n\ty := 1\n}", broken, ("other",)), asked).outcome == Outcome.NOT_VALID


def test_rungs_below(asked: Helper) -> None:
    assert climb(Candidate("x := 1", FILE), asked).level == Level.PARSE
    assert climb(Candidate("func f() {}", kinds=("type",)), asked).outcome == Outcome.NOT_VALID
    assert climb(Candidate("func f() { return 1 }"), asked, Level.FORMAT) == Verdict(Level.FORMAT, Outcome.VALID)
    found = climb(Candidate("func f() {}", "package p\n\nfunc g( {}\n"), asked)
    assert (found.level, found.outcome, found.line) == (Level.FORMAT, Outcome.NOT_VALID, -2)


def test_without_a_helper_only_parsing_is_known() -> None:
    assert climb(Candidate("func f() {}"), None, Level.PARSE).outcome == Outcome.VALID
    assert climb(Candidate("func f() {"), None).outcome == Outcome.NOT_VALID
    assert climb(Candidate("func f() {}"), None) == Verdict(Level.FORMAT, Outcome.UNKNOWN, "no Go toolchain")


def test_whole_packages_are_built_and_tested(jail: Sandbox) -> None:
    tests = 'package task\n\nimport "testing"\n\nfunc TestF(t *testing.T) {\n\tif F() != 1 {\n\t\tt.Fatal()\n\t}\n}\n'
    for body, level, outcome, said in (
        ("return 1", Level.TESTS, Outcome.VALID, "PASS: TestF"),
        ("return 2", Level.TESTS, Outcome.NOT_VALID, "FAIL: TestF"),
        ("return x", Level.BUILD, Outcome.NOT_VALID, "undefined: x"),
    ):
        found = prove({"task.go": f"package task\n\nfunc F() int {{ {body} }}\n", "task_test.go": tests}, jail)
        assert (found.level, found.outcome) == (level, outcome)
        assert said in found.message
