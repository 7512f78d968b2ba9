from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hrm_ray.prepare.plan import CLIP, STEP, header, kinds_of, placed, plan

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


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("", "m[a[i]][b[j]]++", ["add assignment m[a[i]][b[j]]++"]),
        ("", "v := a[a[i]]", ["add variable v := a[a[i]]"]),
        ("", "x := New[map[string]L[int]]()", ["add variable x := New[map[string]L[int]]()"]),
        ("", "Map[int](b)", ["add call Map"]),
        ("", "p.Map[int, string](b, c)", ["add call p.Map"]),
        ("", "go Run[int](x)", ["add go Run[int](x)"]),
        ("", "var s Set[Key[string]]", ["add variable s Set[Key[string]]"]),
        ("", "L: m[a[i]] = x.(I[T])", ["add label L", "add assignment m[a[i]] = x.(I[T])"]),
        ("x := Map(a)", "x := Map[int, string](a)", ["change variable x := Map[int, string](a): add [int, string]"]),
        ("x := Map(a)", "x := Map[int](a)", ["change variable x := Map[int](a): add [int]"]),
        ("x := Map[int](a)", "x := Map[string](a)", ["change int to string"]),
        ("x := Map[int](a)", "x := Filter[int](a)", ["change call Map to Filter"]),
        ("x := h[i](a)", "x := h[j](a)", ["change i to j"]),
        ("x := T{}", "x := T[int]{}", ["change variable x := T[int]{}: add [int]"]),
        ("x := m[i]", "x := m[n[i]]", ["change variable x := m[n[i]]: i to n[i]"]),
        ("x = s[1:]", "x = s[1:n[2]]", ["change assignment x = s[1:n[2]]: add n[2]"]),
        ("var s Set[int]", "var s Set[Opt[int]]", ["change variable s Set[Opt[int]]: int to Opt[int]"]),
        ("var s Set[int]", "var s []Set[int]", ["change variable s []Set[int]: add []"]),
    ],
)
def test_type_arguments_and_indices_are_of_the_part_that_they_stand_in(
    before: str, after: str, expected: list[str]
) -> None:
    assert modified(before, after) == expected


@pytest.mark.parametrize(
    ("kind", "before", "after", "expected"),
    [
        ("type", "struct {\n\ta int\n}", "struct {\n\ta Opt[int]\n}", ["change field a Opt[int]: int to Opt[int]"]),
        ("type", "struct {\n}", "struct {\n\tE[T]\n\t*p.G[K, V]\n}", ["add field E[T]", "add field *p.G[K, V]"]),
        ("type", "interface {\n}", "interface {\n\tI[T]\n\tM(A[T])\n}",
         ["add type element I[T]", "add interface method M(A[T])"]),
        ("type", "interface {\n}", "interface {\n\t~int | List[string]\n}", ["add type element ~int | List[string]"]),
        ("type", "interface {\n\tA | E\n}", "interface {\n\tA | L[E]\n}", ["change type element A | L[E]: E to L[E]"]),
        ("type", "map[string]T", "map[string]Opt[T]", ["change named type F map[string]Opt[T]: T to Opt[T]"]),
        ("type", "= H[T, C]", "= H[T, string, C]", ["change named type F = H[T, string, C]: add string"]),
        ("method", "(t *T) F() {\n}", "(t *T[K, V]) F() {\n}",
         ["change signature: change receiver (t *T[K, V]): add [K, V]"]),
        ("method", "(t T) F(u int) {\n}", "(t T) F[U ~int | L[int]](u U) {\n}",
         ["change signature: change int to U", "change signature: add type parameter U ~int | L[int]"]),
        ("function", "F(a int) {\n}", "F(a Opt[int]) R[int] {\n}",
         ["change signature: change parameter a Opt[int]: int to Opt[int]", "change signature: add result R[int]"]),
    ],
)  # fmt: skip
def test_type_elements_are_terms_of_constraints(kind: str, before: str, after: str, expected: list[str]) -> None:
    keyword = "type F " if kind == "type" else "func "
    assert steps(keyword + before, keyword + after, kind) == expected


def test_type_parameters_of_methods_are_parts_of_the_signature() -> None:
    method = "func (t T) F[U any, V C[U]](u U) V {\n\treturn new(u).v\n}"
    assert steps("", method, "method")[0] == "signature [U any, V C[U]](u U) V"
    assert steps(method, method.replace("C[U]", "D[U]"), "method") == ["change signature: change C to D"]
    assert steps(method.replace(", V C[U]", ""), method, "method") == ["change signature: add type parameter V C[U]"]


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


@pytest.mark.parametrize(
    ("before", "kinds", "names"),
    [
        ("func (r *Rocket) Start() {}", ["method"], ["Rocket.Start"]),
        ("// Fuel burns.\ntype Fuel int", ["type"], ["Fuel"]),
        ("func a() {}\n\nfunc b() {}", ["function", "function"], ["a", "b"]),
        (f"func {'a' * STEP}() {{}}", ["function"], ["a" * STEP]),
    ],
)
def test_the_header_of_a_modification_is_known_beforehand(before: str, kinds: list[str], names: list[str]) -> None:
    after = before.replace("{}", "{ stop() }").replace("int", "string")
    for made in (plan, placed):
        steps = made(before, after, kinds, names, 12).split("\n")
        assert header(before).split("\n") == steps[: len(kinds)]
    assert header("") == ""
