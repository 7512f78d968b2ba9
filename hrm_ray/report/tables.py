"""The evaluation of the run beside its baselines, and the confusion tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from hrm_ray.report.files import Decided, Evaluation, Generated, RunFolder
from hrm_ray.report.held_out import ORIGINS, ROLES
from hrm_ray.report.text import interval, number, percent


@dataclass(frozen=True)
class Row:
    """A metric and its value for each column."""

    name: str
    cells: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """Named groups of rows under `columns`."""

    columns: tuple[str, ...]
    groups: tuple[tuple[str, tuple[Row, ...]], ...]


@dataclass(frozen=True)
class Confusion:
    """Decisions on one kind of attempts: counts with their share of the true label's row."""

    title: str
    labels: tuple[str, str, str]
    rows: tuple[tuple[str, tuple[tuple[int, float], ...]], ...]


def evaluation_table(run: RunFolder) -> Table | None:
    """Return every figure of `evaluation.json`, one column for the run and for each evaluated baseline."""
    if run.evaluation is None:
        return None
    columns = {"This run": run.evaluation}
    for role, baseline in run.baselines.items():
        if baseline.evaluation:
            columns[ROLES[role][:1].upper() + ROLES[role][1:]] = baseline.evaluation
    evaluations = list(columns.values())
    groups = [("Size", _size(evaluations)), ("Losses", _losses(evaluations))]
    parts: dict[str, Callable[[Evaluation], Generated]] = {
        "Generations, all": lambda one: one.generation.all,
        "Generations, additions": lambda one: one.generation.added,
        "Generations, modifications": lambda one: one.generation.modified,
    }
    groups += [(name, generated_rows([part(one) for one in evaluations])) for name, part in parts.items()]
    groups += list(_decisions(evaluations))
    groups.append(("Seconds spent", _seconds(evaluations)))
    return Table(tuple(columns), tuple((name, tuple(rows)) for name, rows in groups))


def _size(evaluations: list[Evaluation]) -> list[Row]:
    return [
        Row("Parameters", tuple(number(one.parameters) for one in evaluations)),
        Row("Checkpoint, step", tuple(number(one.checkpoint.step) for one in evaluations)),
        Row("Examples", tuple(number(one.losses.examples) for one in evaluations)),
        Row("Bytes of code", tuple(number(one.losses.code_bytes) for one in evaluations)),
    ]


def _losses(evaluations: list[Evaluation]) -> list[Row]:
    names = {
        "plan_bits_per_byte": "Plan bits per byte of plan",
        "code_bits_per_byte": "Code bits per byte, true plan given",
        "code_bits_per_byte_no_plan": "Code bits per byte, without a plan",
        "plan_and_code_bits_per_code_byte": "Plan and code bits per byte of code",
    }
    return [
        Row(label, tuple(number(getattr(one.losses, name)) for one in evaluations)) for name, label in names.items()
    ] + _behind_plans(evaluations)


def _behind_plans(evaluations: list[Evaluation]) -> list[Row]:
    """The same code behind three plans: that of the examples that were written to."""
    names = {
        "examples": "Examples that were written to",
        "code_bits_per_byte": "Code bits per byte there, true plan given",
        "code_bits_per_byte_predicted_plan": "Code bits per byte there, predicted plan given",
        "code_bits_per_byte_no_plan": "Code bits per byte there, without a plan",
    }
    same = [one.losses.predicted_plan for one in evaluations]
    return [
        Row(label, tuple(number(getattr(one, name, None)) for one in same))
        for name, label in names.items()
        if any(same)
    ]


def generated_rows(parts: list[Generated]) -> list[Row]:
    """Return the rows of a group of generations, a cell for each part."""
    shares = {"finished_share": "Finished", "valid_share": "Valid Go", "improved_share": "Improved"}
    later = {"exact_share": "Exactly the reference", "copy_share": "Copies of the input"}
    similarities = {
        "edit_similarity": "Edit similarity",
        "copy_edit_similarity": "Edit similarity of copying the input",
    }
    return [
        Row("Count", tuple(number(part.count) for part in parts)),
        *(Row(label, tuple(percent(getattr(part, name)) for part in parts)) for name, label in shares.items()),
        Row("Valid Go, 95% interval", tuple(interval(part.valid_interval) for part in parts)),
        Row("Improved, 95% interval", tuple(interval(part.improved_interval) for part in parts)),
        *(Row(label, tuple(percent(getattr(part, name)) for part in parts)) for name, label in later.items()),
        *(Row(label, tuple(number(getattr(part, name)) for part in parts)) for name, label in similarities.items()),
        Row("Steps of the plan that valid code makes", tuple(percent(part.plan_adherence) for part in parts)),
    ]


def _decisions(evaluations: list[Evaluation]) -> Iterator[tuple[str, list[Row]]]:
    names = {
        "count": "Count",
        "balanced_accuracy": "Balanced accuracy",
        "balanced_log_loss": "Balanced log-loss (nats)",
        "done_auc_among_valid": "DONE among valid, area under the curve",
        "likelihood_auc_among_valid": "The same, by likelihood",
    }
    for origin, title in ORIGINS.items():
        for view in ("hidden", "shown"):
            seen = [_decided(one, origin, view) for one in evaluations]
            if any(seen):
                rows = [
                    Row(label, tuple(number(getattr(one, name, None)) for one in seen)) for name, label in names.items()
                ]
                yield f"Decisions on {title}, feedback {view}", rows


def _decided(evaluation: Evaluation, origin: str, view: str) -> Decided | None:
    views = getattr(evaluation.decisions, origin, None)
    return getattr(views, view, None)


def _seconds(evaluations: list[Evaluation]) -> list[Row]:
    names = dict.fromkeys(name for one in evaluations for name in one.seconds)
    return [Row(name.capitalize(), tuple(number(one.seconds.get(name), 1) for one in evaluations)) for name in names]


def confusions(evaluation: Evaluation | None) -> list[Confusion]:
    """Return the confusion tables of the run, feedback hidden and shown."""
    tables = []
    for origin, title in ORIGINS.items():
        for view in ("hidden", "shown"):
            seen = _decided(evaluation, origin, view) if evaluation else None
            if seen:
                rows = tuple(
                    (label, tuple((count, count / max(sum(row), 1)) for count in row))
                    for label, row in zip(seen.labels, seen.confusion, strict=True)
                )
                tables.append(Confusion(f"{title[:1].upper()}{title[1:]}, feedback {view}", seen.labels, rows))
    return tables
