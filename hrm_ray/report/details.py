"""Smaller tables: does the network read, what other seeds give, what each state knows, and where the bits are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from hrm_ray.report import seeds
from hrm_ray.report.files import Bits, Evaluation, Losses, RunFolder
from hrm_ray.report.held_out import ROLES
from hrm_ray.report.reading import reading
from hrm_ray.report.seeds import Spread
from hrm_ray.report.tables import Row, Table
from hrm_ray.report.text import ABSENT, number, signed

GROUPS = {"intent": "Intent", "kind": "Kind of declaration", "length": "Length of the code", "origin": "Tests"}


def detail_tables(run: RunFolder) -> Iterator[tuple[str, str, Table]]:
    """Yield title, note and table of all that was measured."""
    if probed := reading(run.metrics):
        yield "Does the network read its input?", *probed
    evaluation = run.evaluation
    if evaluation is None:
        return
    if len(seeds.comparable(run)) > 1:
        note = (
            "The same training with other weights to start from and another order of the rows; the folds are the same. "
            "An interval (Student's t) needs three seeds. A lead is taken seed by seed."
        )
        yield "What is luck?", note, _seeds(run)
    if evaluation.probes and evaluation.probes.states:
        note = (
            "Bits per byte read from the state that each pass leaves, through the model's own output table: z_L is the "
            "coder's, z_H the planner's. A state in other terms than the output's reads badly without knowing little."
        )
        yield "Is the planner a planner?", note, _probes(evaluation)
    if evaluation.losses.by:
        yield "Where the bits are", "The true plan is given where nothing else is said.", _by(evaluation.losses)


def _seeds(run: RunFolder) -> Table:
    runs = seeds.comparable(run)
    groups = [
        ("This run", [_spread(name, seeds.spread(runs, figure), number) for name, figure in seeds.FIGURES.items()])
    ]
    for role, name in ROLES.items():
        leads = {name: seeds.lead(run, role, figure) for name, figure in seeds.FIGURES.items()}
        if any(leads.values()):
            groups.append((f"Less the {name}", [_spread(name, found, signed) for name, found in leads.items()]))
    columns = ("Seeds", "Mean", "Lowest", "Highest", "95% interval of the mean")
    return Table(columns, tuple((name, tuple(rows)) for name, rows in groups))


def _spread(name: str, found: Spread | None, shown: Callable[[float | None], str]) -> Row:
    if found is None:
        return Row(name, (ABSENT,) * 5)
    bounds = f"{shown(found.interval[0])} to {shown(found.interval[1])}" if found.interval else ABSENT
    values = (found.mean, min(found.values), max(found.values))
    return Row(name, (number(len(found.values)), *(shown(value) for value in values), bounds))


def _probes(evaluation: Evaluation) -> Table:
    probes = evaluation.probes
    assert probes
    states = tuple(
        _bits(f"{one.state}, cycle {one.cycle}" + (f", pass {one.pass_}" if one.state == "z_L" else ""), one)
        for one in probes.states
    )
    without = tuple(_bits(f"Without the {stack}'s last cycle", one) for stack, one in probes.without.items())
    return Table(("Plan", "Code"), (("Read from", states), ("The model's answer", without)))


def _bits(label: str, one: Bits) -> Row:
    return Row(label, (number(one.plan_bits_per_byte), number(one.code_bits_per_byte)))


def _by(losses: Losses) -> Table:
    columns = {
        "examples": "Examples",
        "code_bytes": "Bytes of code",
        "plan_bits_per_byte": "Plan",
        "code_bits_per_byte": "Code",
        "code_bits_per_byte_no_plan": "Code, no plan",
        "plan_and_code_bits_per_code_byte": "Plan and code per byte of code",
    }
    groups = tuple(
        (GROUPS.get(name, name), tuple(_cells(label, part, tuple(columns)) for label, part in parts.items()))
        for name, parts in losses.by.items()
    )
    return Table(tuple(columns.values()), groups)


def _cells(label: str, part: Losses, names: Sequence[str]) -> Row:
    return Row(label[:1].upper() + label[1:], tuple(number(getattr(part, name)) for name in names))
