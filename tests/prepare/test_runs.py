from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hrm_ray.golang.declarations import Declaration, declarations
from hrm_ray.prepare.runs import RUN_BYTES, run_bytes, runs

NEW_FILE = """package p

func helper() {}

type Pool struct{ size int }

func NewPool() *Pool { return &Pool{} }

func (p *Pool) Get() int { return p.size }

type Other int

func (o Other) Get() int { return 1 }
"""


def names(source: str, most_bytes: int, most: int = 12) -> list[list[str]]:
    return [[one.name for one in run] for run in runs(declarations(source), most_bytes, most)]


def bytes_of(run: list[Declaration]) -> int:
    return sum(len(one.text.encode()) for one in run)


def test_what_fits_is_one_run() -> None:
    assert names(NEW_FILE, 1000) == [["helper", "Pool", "NewPool", "Pool.Get", "Other", "Other.Get"]]


def test_a_type_is_not_parted_from_its_constructor_and_methods() -> None:
    family = len("type Pool struct{ size int }func NewPool() *Pool { return &Pool{} }")
    family += len("func (p *Pool) Get() int { return p.size }")
    assert names(NEW_FILE, family) == [["helper"], ["Pool", "NewPool", "Pool.Get"], ["Other", "Other.Get"]]
    assert names(NEW_FILE, family - 1) == [["helper", "Pool", "NewPool"], ["Pool.Get", "Other", "Other.Get"]]


def test_a_plan_can_name_what_a_run_holds() -> None:
    assert names(NEW_FILE, 1000, most=3) == [["helper"], ["Pool", "NewPool", "Pool.Get"], ["Other", "Other.Get"]]
    assert all(len(run) == 1 for run in names(NEW_FILE, 1000, most=1))


def test_one_declaration_may_be_larger_than_a_run() -> None:
    assert names(NEW_FILE, 1) == [["helper"], ["Pool"], ["NewPool"], ["Pool.Get"], ["Other"], ["Other.Get"]]


@given(st.lists(st.integers(0, 60), max_size=12), st.integers(1, 200), st.integers(1, 5))
def test_runs_are_the_declarations_in_order_and_within_their_bounds(
    sizes: list[int], most_bytes: int, most: int
) -> None:
    kinds = ("type T{0} struct{{ {1} int }}", "func (t T{0}) M() {{ {1}() }}", "func F{0}() {{ {1}() }}")
    texts = [kinds[size % 3].format(at // 3, "é" * (size + 1)) for at, size in enumerate(sizes)]
    found = declarations("package p\n\n" + "\n\n".join(texts) + "\n")
    made = runs(found, most_bytes, most)
    assert [one for run in made for one in run] == found
    assert all(len(run) <= most and (bytes_of(run) <= most_bytes or len(run) == 1) for run in made)
    assert made == runs(found, most_bytes, most)


def test_a_wider_window_holds_longer_runs() -> None:
    assert run_bytes(1024) == RUN_BYTES
    assert run_bytes(512) < run_bytes(1024) < run_bytes(2048)
