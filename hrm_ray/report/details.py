"""Smaller tables of an evaluation: a model that only counts, what each state knows, and where the bits are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hrm_ray.report.files import Bits, Evaluation, Losses
from hrm_ray.report.tables import Row, Table, generated_rows
from hrm_ray.report.text import number

GROUPS = {"intent": "Intent", "kind": "Kind of declaration", "length": "Length of the code", "origin": "Tests"}


def detail_tables(evaluation: Evaluation | None) -> Iterator[tuple[str, str, Table]]:
    """Yield title, note and table of all that was measured."""
    if evaluation is None:
        return
    if evaluation.ngram:
        note = (
            "Counted on the training fold over the same tokens, written to the same changes within the same budgets. "
            "What it can do needs no network. Copying the input improves nothing, by construction."
        )
        yield f"Beside a {evaluation.ngram.order}-gram model", note, _counted(evaluation)
    if evaluation.probes and evaluation.probes.states:
        note = (
            "Bits per byte read from the state that each pass leaves, through the model's own output table: z_L is the "
            "coder's, z_H the planner's. A state in other terms than the output's reads badly without knowing little."
        )
        yield "Is the planner a planner?", note, _probes(evaluation)
    if evaluation.losses.by:
        yield "Where the bits are", "The true plan is given where nothing else is said.", _by(evaluation.losses)


def _counted(evaluation: Evaluation) -> Table:
    counted = evaluation.ngram
    assert counted
    names = {
        "plan_bits_per_byte": "Plan bits per byte of plan",
        "code_bits_per_byte": "Code bits per byte, true plan given",
        "plan_and_code_bits_per_code_byte": "Plan and code bits per byte of code",
    }
    both = (evaluation.losses, counted.losses)
    losses = tuple(Row(label, tuple(number(getattr(one, name)) for one in both)) for name, label in names.items())
    parts = ("all", "added", "modified")
    written = [
        (
            title,
            tuple(generated_rows([getattr(evaluation.generation, part), getattr(counted.generation, part)])),
        )
        for part, title in zip(parts, ("All changes", "Additions", "Modifications"), strict=True)
    ]
    return Table(("This run", f"{counted.order}-gram model"), (("Losses", losses), *written))


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
