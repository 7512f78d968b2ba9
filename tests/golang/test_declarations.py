from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hrm_ray.collect import records
from hrm_ray.golang.declarations import declarations, one_line, outline
from hrm_ray.golang.syntax import validate
from hrm_ray.golang.tree import parse_fragment

SOURCE = """// Licence é.

// Package p does.
package p

import (
	"fmt" // print
	x "a/b"
)

// A is not next to it.

// Limits.
const (
	Low  = 1 // low
	High = 2
)

var one, two = 1, "é" // both
var _ fmt.Stringer = (*List[int])(nil)

type (
	ID  int
	Set map[ID]struct{}
)

// List holds.
//
// Much.
type List[T any] struct {
	items []T
}

type Doer interface{ Do() }

/* Add
adds. */
func (l *List[T]) Add(
	item T, // new
	at int,
) (n int, err error) {
	return 0, nil
}

func main() {} // start
// not of main
func external(a int) string
"""


def test_kinds_names_and_signatures() -> None:
    assert [(found.kind, found.name, found.signature) for found in declarations(SOURCE)] == [
        ("const", "Low", "const (Low; High)"),
        ("var", "one", "var one, two"),
        ("var", "_", "var _ fmt.Stringer"),
        ("type", "ID", "type (ID int; Set map[ID]struct)"),
        ("type", "List", "type List[T any] struct"),
        ("type", "Doer", "type Doer interface"),
        ("method", "List.Add", "func (l *List[T]) Add(item T, at int) (n int, err error)"),
        ("function", "main", "func main()"),
        ("function", "external", "func external(a int) string"),
    ]


def test_comments_belong_to_their_declaration() -> None:
    texts = {found.name: found.text for found in declarations(SOURCE)}
    assert texts["Low"].startswith("// Limits.\nconst (")
    assert texts["one"] == 'var one, two = 1, "é" // both'
    assert texts["_"].startswith("var _")
    assert texts["List"].startswith("// List holds.\n//\n// Much.\ntype List")
    assert texts["List.Add"].startswith("/* Add\nadds. */\nfunc")
    assert texts["main"] == "func main() {} // start"
    assert texts["external"].startswith("// not of main\nfunc")


def test_texts_are_valid_on_their_own() -> None:
    for found in declarations(SOURCE):
        assert validate(found.text, [found.kind]) is None, found


def test_outline() -> None:
    lines = outline(SOURCE).split("\n")
    assert lines[:3] == ["package p", 'import ("fmt"; x "a/b")', "const (Low; High)"]
    assert lines[-1] == "func external(a int) string"
    assert len(lines) == 2 + len(declarations(SOURCE))
    assert outline("") == ""
    assert outline("package p\n") == "package p"


NEW = """package p

// suite is long.
var suite = describe(func() {
	x := new(int64(5))
	expect(x)
}) // done

// Map maps.
func (s *Set[T]) Map[U any](f func(T) U) []U {
	return nil
}

type Keyed[K interface{ ~int | ~string }, V any] map[K]struct{ v V }

func (s *Set[T]) Len() int { return len(s.items) } // short
// not of Len
const ( Low = 1; High = 2 )
"""


def test_what_only_go_reads_is_whole() -> None:
    found = declarations(NEW)
    assert [(one.kind, one.names, one.signature) for one in found] == [
        ("var", ("suite",), "var suite"),
        ("method", ("Set.Map",), "func (s *Set[T]) Map[U any](f func(T) U) []U"),
        ("type", ("Keyed",), "type Keyed[K interface{ ~int | ~string }, V any] map[K]struct"),
        ("method", ("Set.Len",), "func (s *Set[T]) Len() int"),
        ("const", ("Low", "High"), "const (Low; High)"),
    ]
    assert (
        "\n\n".join(one.text for one in found[:3]) + "\n\n"
        == NEW[NEW.index("// suite") : NEW.index("func (s *Set[T]) Len")]
    )
    assert [one.text for one in found[3:]] == [
        "func (s *Set[T]) Len() int { return len(s.items) } // short",
        "// not of Len\nconst ( Low = 1; High = 2 )",
    ]


def test_one_that_no_tree_can_be_made_of_spoils_no_other() -> None:
    deep = f"func deep() {{ x = {'(' * 90_000}1{')' * 90_000} }}"
    found = declarations(f"package p\n\nfunc f() {{}}\n\n{deep}\n\nvar table = f({'1, ' * 40_000}1)\n\nfunc g() {{}}\n")
    assert [one.signature for one in found] == ["func f()", "func deep()", "var table", "func g()"]


PARTS = [
    "func f() {}",
    "// é",
    "\n",
    "\n\n",
    "type T int",
    "var (\n\tx = 1\n)",
    "/* a\nb */",
    " ",
    "}",
    "const c = `é`",
    "; ",
]


@given(st.lists(st.sampled_from(PARTS)).map("".join) | st.text(max_size=40))
def test_texts_are_slices_in_order(text: str) -> None:
    source = "package p\n" + text
    data = source.encode("utf-8", "surrogatepass")
    found = declarations(source)
    for one in found:
        assert one.text == data[one.start : one.end].decode("utf-8", "surrogatepass")
    assert all(a.end <= b.start for a, b in pairwise(found))
    outline(source)


def test_real_files(shared_data: Path) -> None:
    found = 0
    for pull_request in records.read(shared_data / "go_prs_small.jsonl.gz"):
        for file in pull_request.files:
            for one in declarations(file.content_after):
                found += 1
                assert validate(one.text, [one.kind]) is None, (file.filename, one.name)
                assert "\n" not in one.signature
                assert one.name != ""
    assert found > 500


def test_a_group_has_all_its_names() -> None:
    source = "package p\n\nconst (\n\ta, b = 1, 2\n\tc = 3\n)\n\nfunc (t *T) M() {}\n\ntype (\n\tX int\n\tY = X\n)\n"
    assert [one.names for one in declarations(source)] == [("a", "b", "c"), ("T.M",), ("X", "Y")]


def test_a_headline_is_the_beginning_of_what_nests() -> None:
    nested = parse_fragment("type T " + "interface{ M(é " * 500 + "int" + ") }" * 500).named_children[1]
    whole, headline = one_line(nested), one_line(nested, hollow=frozenset({"block"}))
    assert len(whole) > 5_000
    assert len(headline) < 500
    assert whole.startswith(headline)
    hollow = parse_fragment("var x = f(" + "a, " * 500 + "b).c()").named_children[1]
    assert one_line(hollow, hollow=frozenset({"argument_list"})) == "var x = f().c()"


@pytest.mark.parametrize(
    ("source", "texts"),
    [
        ("/* A is. */\nfunc A() {}", ["/* A is. */\nfunc A() {}"]),
        ("/* A is. */ func A() {}", ["/* A is. */ func A() {}"]),
        ("/* one */ /* two */ var a = 1", ["/* one */ /* two */ var a = 1"]),
        ("// A is.\n/* inline */ type A int", ["// A is.\n/* inline */ type A int"]),
        ("/* A\n   is. */ func A() {}", ["/* A\n   is. */ func A() {}"]),
        ("/* not of A */\n\nfunc A() {}", ["func A() {}"]),
        ("func A() {} /* of A */\nfunc B() {}", ["func A() {} /* of A */", "func B() {}"]),
        ("func A() {} // of A\n/* of B */ func B() {}", ["func A() {} // of A", "/* of B */ func B() {}"]),
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_comment_above_or_on_the_line_belongs_to_the_declaration(source: str, texts: list[str], end: str) -> None:
    found = declarations(f"package p\n\n{source}\n".replace("\n", end))
    assert [one.text.rstrip("\r") for one in found] == [text.replace("\n", end) for text in texts]
