from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hrm_ray.prepare.plan import CLIP, STEP, kinds_of, plan

BODY = "func F(a int) error {{\n\t{0}\n\treturn nil\n}}"


def steps(before: str, after: str, kind: str = "function", most: int = 12) -> list[str]:
    header, *lines = plan(before, after, [kind], ["F"], most).split("\n")
    assert header == f"{'modify' if before else 'add'} {kind} F"
    return lines


def modified(before: str, after: str) -> list[str]:
    return steps(BODY.format(before), BODY.format(after))


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("", "if a < 0 {\n\t\treturn errors.New(message)\n\t}", ["add if a < 0", "add return errors.New(message)"]),
        ("log.Print(a)", "", ["remove call log.Print"]),
        ("x := 1\n\tg(x)\n\th(x)", "y := 1\n\tg(y)\n\th(y)", ["rename x to y"]),
        ("for a < 10 {\n\t}", "for a <= 10 {\n\t}", ["change < to <= in for a < 10"]),
        ("a = 1", "a = 2", ["change literal 1 to 2"]),
        ("x, err := f(a)", "x, err := g(a)", ["change call f to g"]),
        ("f(a)", "f(ctx, a)", ["change call f: add ctx"]),
        ("f(a)", "if a > 0 {\n\t\tf(a)\n\t}", ["add if a > 0"]),
        ("f(a)\n\tg(b, c)\n\tg(c, d)", "g(b, c)\n\tg(c, d)\n\tf(a)", ["move call f"]),
        ("if a > 0 {\n\t}", "if a > 0 {\n\t} else {\n\t\tf(a)\n\t}", ["add call f", "add else"]),
        ("f(a)\n\tg()", "f(a)\n\tf(a)\n\tf(a)\n\tg()", ["add call f x2"]),
        ("f(a)", "// why\n\tf(a)", ["add comment"]),
        ("f(a)", "\n\tf(a)", ["change layout"]),
        ("x := T{A: 1}", "x := T{A: 1, B: 2}", ["add entry B"]),
    ],
)
def test_steps_of_a_modification(before: str, after: str, expected: list[str]) -> None:
    assert modified(before, after) == expected


def test_signature_changes() -> None:
    before = "func (s *S) F(a int, data interface{}) error {\n}"
    after = "func (s *S) F(ctx context.Context, a int, data any) (int, error) {\n}"
    assert steps(before, after) == [
        "change signature: change parameter data any: interface{} to any",
        "change signature: add parameter ctx context.Context",
        "change signature: add result int",
    ]
    assert steps("func Old(a int) {\n}", "func F(a int) {\n}") == ["rename Old to F"]


def test_fields_cases_and_interface_methods() -> None:
    before, after = "type F struct {\n\tA int\n}", "type F struct {\n\tA int\n\tTimeout time.Duration\n}"
    assert steps(before, after, "type") == ["add field Timeout time.Duration"]
    before, after = "type F interface {\n\tA()\n}", "type F interface {\n\tA()\n\tB(int) error\n}"
    assert steps(before, after, "type") == ["add interface method B(int) error"]
    switch = "switch a {{\n\tcase 1:\n\t\tf(){0}\n\t}}"
    assert modified(switch.format(""), switch.format("\n\tcase 2:\n\t\tg()")) == ["add case 2", "add call g"]


def test_addition_says_its_signature_first() -> None:
    code = "// F does.\nfunc F(a int) error {\n\tx := g(a)\n\tif x == nil {\n\t\tt.Fatal(a)\n\t}\n\treturn x\n}"
    assert steps("", code) == [
        "signature (a int) error",
        "add if x == nil",
        "add call t.Fatal",
        "add variable x := g(a)",
        "add return x",
        "add comment",
    ]
    assert steps("", code, most=3) == ["signature (a int) error", "add if x == nil"]


def test_several_additions_share_the_steps() -> None:
    code = "func A() {\n\tf()\n\tg()\n}\n\n// T is.\ntype T struct {\n\tX int\n\tY int\n}"
    assert plan("", code, ["function", "type"], ["A", "T"], 6).split("\n") == [
        *("add function A", "add type T"),
        *("A: signature ()", "A: add call f"),
        *("T: add named type T struct", "T: add field X int"),
    ]


def test_details_are_clipped_and_the_code_is_not_in_the_plan() -> None:
    secret = "a very long text that is nowhere near a detail of a plan, whatever else may happen"
    for line in modified(f'f("{secret}x")', f'f("{secret}y")') + modified("", f"f({secret.replace(' ', '_')})"):
        assert len(line) <= 3 * CLIP
        assert secret not in line
    long = modified(f'f("{secret}x")', f'f("{secret}y")')
    assert long == ['change literal ...y happenx" to ...y happeny"']


def test_every_declaration_is_named_and_no_step_is_endless() -> None:
    name = "F" * 500
    header, *rest = plan("", f"func {name}() {{\n\tf()\n}}", ["function"], [name], 12).split("\n")
    assert len(header) == STEP
    assert kinds_of(header) == ("function",)
    assert rest == ["signature ()", "add call f"]
    many = [f"F{at}" for at in range(5)]
    code = "\n\n".join(f"func {one}() {{}}" for one in many)
    assert plan("", code, ["function"] * 5, many, 5).split("\n") == [f"add function {one}" for one in many]
    assert plan("type T int", "type T  int", ["type"], ["T"], 1) == "modify type T"


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("add function A\nadd method B.C\nB.C: add call f", ("function", "method")),
        ("modify type T\nadd named type U\nadd field x", ("type",)),
        ("  modify var x  \n", ("var",)),
        ("add function\nadd functions A\nfunction A\nadd function A B\nplease add const C", ()),
        ("", ()),
    ],
)
def test_kinds_are_read_from_headers_only(text: str, kinds: tuple[str, ...]) -> None:
    assert kinds_of(text) == kinds


PIECES = st.lists(
    st.sampled_from(
        [
            "if a {\n\tf(b)\n}",
            "x := g(a, 1)",
            "return",
            "// why",
            "for {\n}",
            't.Run("é", func() {\n\tf()\n})',
            "}",
            "var y T",
        ]
    ),
    max_size=8,
).map("\n".join)


@given(PIECES, PIECES, st.integers(1, 5))
def test_plans_are_deterministic_short_and_name_their_kinds(before: str, after: str, most: int) -> None:
    old, new = BODY.format(before), BODY.format(after)
    for given_before in (old, ""):
        first = plan(given_before, new, ["function"], ["F"], most)
        assert first == plan(given_before, new, ["function"], ["F"], most)
        assert kinds_of(first) == ("function",)
        assert len(first.split("\n")) <= most
        assert all(0 < len(step) <= STEP for step in first.split("\n"))
