from __future__ import annotations

from hrm_ray.golang.declarations import declarations
from hrm_ray.prepare.matching import Matches, match

BODY = "(a int) int {\n\tx := g(a)\n\tif x > 0 {\n\t\treturn x\n\t}\n\treturn h(a)\n}\n"


def matched(before: str, after: str) -> Matches:
    return match(declarations("package p\n" + before), declarations("package p\n" + after))


def old_names(found: Matches) -> list[str | None]:
    return [old.name if old else None for old in found.old]


def test_same_name_is_the_same_whatever_the_body() -> None:
    found = matched("func A() {}\nfunc B() {}\n", "func B() { f(1, 2, 3) }\nfunc C() { g(4, 5) }\n")
    assert old_names(found) == ["B", None]


def test_rename_with_the_same_body() -> None:
    found = matched(f"func Old{BODY}func Gone() {{}}\n", f"func New{BODY}func (s *S) Other() {{\n\tf(1)\n}}\n")
    assert old_names(found) == ["Old", None]
    assert [gone.name for gone in found.removed] == ["Gone"]


def test_function_becomes_a_method() -> None:
    assert old_names(matched(f"func Do{BODY}", f"func (s *S) Do{BODY}")) == ["Do"]
    assert old_names(matched("type T int\n", "const T = 1\n")) == [None]


def test_each_is_used_once_and_the_best_pair_wins() -> None:
    near = BODY.replace("h(a)", "h(b)")
    found = matched(f"func Old{BODY}", f"func Near{near}func Same{BODY}")
    assert old_names(found) == [None, "Old"]


def test_duplicate_names_match_by_text_then_in_order() -> None:
    found = matched(
        "func init() { a() }\nfunc init() { b() }\nfunc init() { c() }\n", "func init() { b() }\nfunc init() { d() }\n"
    )
    assert [old.text for old in found.old if old] == ["func init() { b() }", "func init() { a() }"]
    assert [gone.text for gone in found.removed] == ["func init() { c() }"]
