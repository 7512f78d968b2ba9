"""The scores of a generated change, on attempts whose right score is known."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hrm_ray.evaluate.generation import Attempt, can_improve, copies, head, score, summary
from hrm_ray.model.generate import Written
from hrm_ray.prepare.examples import Example

BEFORE = "func Add(a, b int) int {\n\treturn a - b\n}"
AFTER = "func Add(a, b int) int {\n\tc := a + b\n\treturn c\n}"

MODIFIED = Example(
    id="0",
    repository="r/r",
    license="MIT",
    number=1,
    merged_at="2026-01-01T00:00:00Z",
    path="add.go",
    change="modified",
    kinds=("function",),
    names=("Add",),
    is_test=False,
    comment_only=False,
    title="",
    body="",
    outline="",
    before=BEFORE,
    anchor="",
    plan="modify function Add",
    code=AFTER,
)
ADDED = replace(MODIFIED, change="added", before="", anchor="func Zero() int { return 0 }", plan="add function Add")


def attempt(example: Example, code: str, plan: str | None = None) -> Attempt:
    return score(0, example, Written(finished=True), example.plan if plan is None else plan, code)


def test_the_reference_is_exact_and_improves() -> None:
    for example in (MODIFIED, ADDED):
        made = attempt(example, AFTER)
        assert (made.valid, made.improved, made.exact, made.copied) == (True, True, True, False)
        assert (made.edit_similarity, made.chrf) == (1, 1)


def test_layout_and_comments_say_nothing_to_chrf_and_names_do() -> None:
    spaced, renamed = AFTER.replace("\n", "\n\n\t// why\n"), AFTER.replace("c", "total")
    assert attempt(MODIFIED, spaced).chrf == 1
    assert 0.5 < attempt(MODIFIED, renamed).chrf < 1
    assert attempt(MODIFIED, "").chrf == 0


def test_copying_the_input_scores_zero() -> None:
    made = attempt(MODIFIED, BEFORE)
    assert (made.valid, made.improved, made.exact, made.copied) == (True, False, False, True)
    assert made.edit_similarity == made.copy_edit_similarity < 1


@pytest.mark.parametrize("example", [MODIFIED, ADDED])
def test_copying_is_a_row_of_its_own(example: Example) -> None:
    (made,) = copies([attempt(example, AFTER)])
    assert (made.valid, made.improved, made.exact, made.copied) == (True, False, False, True)
    assert made.edit_similarity == made.copy_edit_similarity < 1


def test_an_addition_is_measured_against_its_own_signature() -> None:
    assert not attempt(ADDED, "func Add(a, b int) int {\n}").improved
    assert attempt(ADDED, "func Add(a, b int) int {\n\td := a + b\n\treturn d\n}").improved
    empty = replace(ADDED, code="func Add(a, b int) int {\n}")
    assert not attempt(empty, empty.code).improved


@pytest.mark.parametrize("times", [1, 2])
def test_copying_the_anchor_of_an_addition_scores_zero(times: int) -> None:
    """A test is often a near copy of the one above it."""
    anchor = "func TestA(t *testing.T) {\n\trun(t, parse, one)\n}"
    code = "\n\n".join([anchor.replace("TestA", "TestB").replace("one", "two")] * times)
    added = replace(ADDED, anchor=anchor, code=code, kinds=("function",) * times)
    plan = "add function TestB\n" * times
    copy, right = attempt(added, "\n\n".join([anchor] * times), plan), attempt(added, code, plan)
    assert (copy.valid, copy.copied, copy.improved, copy.close) == (True, True, False, False)
    assert (right.valid, right.copied, right.improved) == (True, False, True)
    assert copy.edit_similarity == copy.copy_edit_similarity == right.copy_edit_similarity < 1


@pytest.mark.parametrize(
    ("code", "improved", "close"),
    [
        (BEFORE.replace("return", "x.y()\n\treturn"), True, False),  # three tokens of six
        (BEFORE.replace("return", "defer x.y()\n\treturn"), True, False),  # four of six
        (BEFORE.replace("return", "defer mu.Lock()\n\treturn"), True, True),
        (BEFORE.replace("a,", "x,"), False, False),
    ],
)
def test_close_is_more_than_two_thirds_of_the_way(code: str, improved: bool, close: bool) -> None:
    locked = replace(MODIFIED, code=BEFORE.replace("return", "defer mu.Unlock()\n\treturn"))
    made = attempt(locked, code)
    assert (made.valid, made.improved, made.close) == (True, improved, close)


@pytest.mark.parametrize(
    ("plan", "code"),
    [
        ("add var x", "var x = func() { return nil }"),
        ("add type X", "type X int"),
        ("add function f", "func f() {\n\treturn nil\n}"),
        ("add function f", "func f() {\n}"),
    ],
)
def test_no_constant_answer_improves_an_addition(plan: str, code: str) -> None:
    made = attempt(ADDED, code, plan)
    assert made.valid or code.startswith("var x")
    assert not made.improved


@pytest.mark.parametrize(
    "body", ["return a", "c, err := x.y(z)\n\tif err != nil {\n\t}\n\treturn c"], ids=["short", "usual"]
)
def test_no_body_that_fits_everywhere_is_close_to_an_addition(body: str) -> None:
    made = attempt(ADDED, f"func Add(a, b int) int {{\n\t{body}\n}}")
    assert (made.valid, made.close) == (True, False)


@pytest.mark.parametrize(
    ("code", "tokens"),
    [
        ("// F does.\nfunc F(a int) error {\n\treturn nil\n}", "func F ( a int ) error { }"),
        ("type X struct {\n\ta int\n}", "type X struct { }"),
        ("var x = 1", "var x"),
    ],
)
def test_the_head_of_a_declaration(code: str, tokens: str) -> None:
    assert head(code) == tuple(tokens.split())


@pytest.mark.parametrize(
    "code",
    [
        "func F() {}",
        "// F does nothing.\nfunc F() {\n\t// yet\n}",
        "func F(x int)",
        "func (t *T) M(x interface{}) (err error) { }",
        "type ID int",
        "type A = bool",
        "type S struct{}",
        "type I interface {\n}",
        "type M map[string]struct{}",
        "type F func(a int) error",
        "type G[T any, C D] = H[T, string, C]",
        "var mu sync.Mutex",
        "type (\n\tA = bool\n\tB = int\n)",
        "type (\n\tA struct{}\n\tB interface{}\n)",
        "var (\n\ta int\n\tb string // why\n)",
        "type A int\n\nfunc (A) M() {}",
    ],
)
def test_no_answer_improves_an_addition_of_a_bare_head(code: str) -> None:
    assert not can_improve(replace(ADDED, code=code))
    assert can_improve(replace(ADDED, code=code + "\n\nfunc G() int {\n\treturn 1\n}"))


@pytest.mark.parametrize(
    "code", [AFTER, "type S struct{ a int }", "var x = 1", "const (\n\tA = 1\n)", "func F() { ; }"]
)
def test_an_exact_answer_improves_every_other_addition(code: str) -> None:
    added = replace(ADDED, code=code, kinds=(kind_of(code),))
    assert can_improve(added)
    assert attempt(added, code, f"add {kind_of(code)} X").improved


def kind_of(code: str) -> str:
    word = code.partition(" ")[0]
    return {"func": "function"}.get(word, word)


def test_no_answer_improves_what_is_its_input_in_all_but_comments() -> None:
    assert not can_improve(replace(MODIFIED, code=f"// Add adds.\n{BEFORE}"))
    assert not can_improve(replace(ADDED, code=ADDED.anchor))
    assert can_improve(MODIFIED)
    assert can_improve(replace(MODIFIED, code="func Add(a, b int) int {\n}"))


def test_writing_nothing_is_no_copy() -> None:
    assert not attempt(replace(ADDED, anchor=""), "").copied


@pytest.mark.parametrize("code", ["", "return a + b", AFTER + "}", AFTER + "\n\n" + AFTER, "type Add int"])
def test_what_is_not_valid_never_improves(code: str) -> None:
    made = attempt(MODIFIED, code)
    assert made.diagnostic is not None
    assert not made.valid
    assert not made.improved


def test_validity_is_told_by_the_predicted_plan() -> None:
    assert not attempt(MODIFIED, AFTER, plan="modify method T.Add").valid
    assert not attempt(MODIFIED, AFTER, plan="gibberish").valid
    assert attempt(MODIFIED, "func Other() {\n}").valid  # names are not checked


def test_comments_and_layout_do_not_count() -> None:
    assert attempt(MODIFIED, "// Add adds.\nfunc Add(a, b int) int { c := a + b; return c }").improved


def test_a_summary_counts() -> None:
    made = [
        attempt(MODIFIED, AFTER),
        attempt(MODIFIED, BEFORE),
        attempt(MODIFIED, ""),
        attempt(MODIFIED, "func F() {}"),
    ]
    found = summary(made)
    assert found["count"] == 4
    assert found["valid_share"] == 0.75
    assert found["improved_share"] == 0.25
    assert found["exact_share"] == 0.25
    assert found["copy_share"] == 0.25
    assert found["valid_interval"] is found["improved_interval"] is None  # one pull request
    apart = summary([replace(one, example=replace(one.example, number=at)) for at, one in enumerate(made)])
    assert apart["improved_interval"][0] < 0.25 < apart["improved_interval"][1]
    assert apart["valid_interval"] == tuple(1 - bound for bound in apart["improved_interval"])[::-1]
    assert summary([])["valid_share"] is None
