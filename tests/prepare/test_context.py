from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hrm_ray.golang.declarations import Declaration, declarations, outline
from hrm_ray.prepare.context import Context

SOURCE = """package p

import "fmt"

const limit = 3

type Store struct{}

func first() {}

func (s *Store) Save(a int) error {
	check(a)
	return write[int](a)
}

func caller(s *Store) {
	s.Save(limit)
}

// Save is mentioned {and not called here.
func (o *Other) Save() {}

func check(a int) {}

func write[T any](a T) error { return nil }

func last() { fmt.Println(limit) }
"""
FOUND = declarations(SOURCE)
SIGNATURES = {
    "limit": "const limit",
    "Store": "type Store struct",
    "first": "func first()",
    "Store.Save": "func (s *Store) Save(a int) error",
    "caller": "func caller(s *Store)",
    "Other.Save": "func (o *Other) Save()",
    "check": "func check(a int)",
    "write": "func write[T any](a T) error",
    "last": "func last()",
}


def seen_from(name: str | None, mentioned: str = "") -> list[str]:
    of = next((one for one in FOUND if one.name == name), None)
    return Context(SOURCE, FOUND).outline(of, mentioned).split("\n")


def test_callees_then_callers_then_names_then_imports_then_the_rest() -> None:
    assert seen_from("Store.Save") == [
        "package p",
        SIGNATURES["check"],
        SIGNATURES["write"],
        SIGNATURES["caller"],
        SIGNATURES["Store"],
        SIGNATURES["Other.Save"],
        'import ("fmt")',
        SIGNATURES["limit"],
        SIGNATURES["first"],
        SIGNATURES["last"],
        SIGNATURES["Store.Save"],
    ]


def test_what_the_problem_names_is_near_and_short_words_name_nothing() -> None:
    mentioned = "Let last check\na p of the caller()"
    assert seen_from(None, mentioned)[:5] == [
        "package p",
        SIGNATURES["caller"],
        SIGNATURES["check"],
        SIGNATURES["last"],
        'import ("fmt")',
    ]
    assert seen_from("first", mentioned)[1:4] == [SIGNATURES["caller"], SIGNATURES["check"], SIGNATURES["last"]]
    assert Context("package p\nfunc ab() {}\n", declarations("package p\nfunc ab() {}\n")).outline(None, "ab") == (
        "package p\nfunc ab()"
    )


def test_without_a_neighbour_or_a_mention_it_is_the_plain_outline() -> None:
    assert seen_from(None) == outline(SOURCE).split("\n")
    assert Context("", []).outline(None, "new file") == ""


def test_a_declaration_of_another_file_is_near_to_what_it_calls() -> None:
    moved = declarations("package q\nfunc moved() { write(1) }\n")[0]
    assert Context(SOURCE, FOUND).outline(moved, "").split("\n")[1] == SIGNATURES["write"]


@pytest.mark.parametrize("long", ["0a" * 400_000, "t[a], " * 100_000, "x[" * 200_000, "é" * 400_000])
def test_a_table_on_one_long_line_is_read_once(long: str) -> None:
    source = f"package p\nfunc write(int) {{}}\nfunc big() {{ write(1); _ = `{long}` }}\n"
    [_, big] = found = declarations(source)
    began = time.process_time()
    assert Context(source, found).outline(big, "").split("\n")[1] == "func write(int)"
    assert time.process_time() - began < 20, "in quadratic time it would take an hour"


@given(st.sampled_from([None, *FOUND]), st.lists(st.sampled_from([*SIGNATURES, "Save", "of", "é"]), max_size=6))
def test_no_line_is_lost_or_made_up_and_the_order_is_always_the_same(of: Declaration | None, words: list[str]) -> None:
    made = Context(SOURCE, FOUND).outline(of, " ".join(words))
    assert sorted(made.split("\n")) == sorted(outline(SOURCE).split("\n"))
    assert made == Context(SOURCE, FOUND).outline(of, " ".join(words))
    assert made.startswith("package p\n")
