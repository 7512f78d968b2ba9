"""The evaluation of the run beside its baselines, and the confusion tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hrm_ray.report.files import Decided, Evaluation, Generated, Losses, Rival, RunFolder, TotalBits, Written
from hrm_ray.report.held_out import DONE_AREA, ORIGINS, ROLES
from hrm_ray.report.text import ABSENT, interval, number, percent, span


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


@dataclass(frozen=True)
class _Column:
    """What is measured of a network is its evaluation; of what is shown beside it a part."""

    losses: TotalBits | None
    written: Written | None
    evaluation: Evaluation | None = None


def evaluation_table(run: RunFolder) -> Table | None:
    """Return every figure of `evaluation.json`: a column for the run, its evaluated baselines, and what needs none."""
    if run.evaluation is None:
        return None
    columns = dict(_columns(run))
    parts = {"all": "all", "added": "additions", "modified": "modifications"}
    generations = [
        (f"Generations, {name}", _generated([getattr(one.written, part, None) for one in columns.values()]))
        for part, name in parts.items()
    ]
    evaluations = [one.evaluation for one in columns.values()]
    groups = [
        ("Size", _size(evaluations)),
        ("Losses", [*_losses([one.losses for one in columns.values()]), *_behind_plans(evaluations)]),
        *_validation([one.validation if one else None for one in evaluations]),
        *generations,
        *_types(evaluations),
        *_tasks(evaluations),
        *_decisions(evaluations),
        ("Seconds spent", _seconds(evaluations)),
    ]
    return Table(tuple(columns), tuple((name, tuple(rows)) for name, rows in groups))


_ANSWERS = {
    "This run, unchecked": "unchecked",
    "A random legal edit, of modifications": "random_edit",
    "Copying the input": "copying",
}
"""Fields of the evaluation that are shown beside its own answers, by the title of their column."""


def _columns(run: RunFolder) -> Iterator[tuple[str, _Column]]:
    networks = {"This run": run} | {
        ROLES[role][:1].upper() + ROLES[role][1:]: one for role, one in run.baselines.items()
    }
    for title, one in networks.items():
        if one.evaluation:
            yield title, _Column(one.evaluation.losses, one.evaluation.generation, one.evaluation)
    assert run.evaluation
    if grams := run.evaluation.ngram:
        yield f"{grams.order}-gram model, unchecked", _Column(grams.losses, grams.generation)
    for title, name in _ANSWERS.items():
        if written := getattr(run.evaluation, name):
            yield title, _Column(None, written)


def _rows(parts: Sequence[object | None], names: Mapping[str, str], shown: Callable[[Any], str] = number) -> list[Row]:
    """A row for each attribute, a cell for each part; a part that lacks it, or is absent, has a dash."""
    return [Row(label, tuple(shown(getattr(part, name, None)) for part in parts)) for name, label in names.items()]


def _size(evaluations: Sequence[Evaluation | None]) -> list[Row]:
    losses = [one and one.losses for one in evaluations]
    steps = [one and one.checkpoint for one in evaluations]
    return [
        *_rows(evaluations, {"parameters": "Parameters"}),
        *_rows(steps, {"step": "Checkpoint, step"}),
        *_rows(losses, {"examples": "Examples", "code_bytes": "Bytes of code"}),
    ]


def _losses(losses: Sequence[TotalBits | None]) -> list[Row]:
    names = {
        "plan_bits_per_byte": "Plan bits per byte of plan",
        "code_bits_per_byte": "Code bits per byte, true plan given",
        "code_bits_per_byte_no_plan": "Code bits per byte, without a plan",
        "plan_and_code_bits_per_code_byte": "Plan and code bits per byte of code",
    }
    return _rows(losses, names)


def _validation(losses: Sequence[Losses | None]) -> Iterator[tuple[str, list[Row]]]:
    sizes = {"examples": "Examples", "code_bytes": "Bytes of code"}
    if any(losses):
        yield "Losses on the validation fold", [*_rows(losses, sizes), *_losses(losses)]


def _behind_plans(evaluations: Sequence[Evaluation | None]) -> list[Row]:
    """The same code behind three plans: that of the examples that were written to."""
    names = {
        "examples": "Examples that were written to",
        "code_bits_per_byte": "Code bits per byte there, true plan given",
        "code_bits_per_byte_predicted_plan": "Code bits per byte there, predicted plan given",
        "code_bits_per_byte_no_plan": "Code bits per byte there, without a plan",
    }
    same = [one and one.losses.predicted_plan for one in evaluations]
    return _rows(same, names) if any(same) else []


def _generated(parts: Sequence[Generated | None]) -> list[Row]:
    later = {
        "exact_share": "Exactly the reference",
        "copy_share": "Copies of the input",
        "valid_share_of_changed": "Valid Go, of those that are no copy",
        "first_share": "Valid Go and a change at the first try",
    }
    return [
        *_rows(parts, {"count": "Count"}),
        *_rows(parts, {"finished_share": "Finished"}, percent),
        *_shares(parts),
        *_rows(parts, later, percent),
        *_rows(parts, {"tries": "First answer that stands, mean"}),
        *_rows(parts, {"edit_similarity": "Edit similarity", "chrf": "chrF"}),
        *_rows(parts, {"plan_adherence": "Steps of the plan that valid code makes"}, percent),
    ]


def _shares(parts: Sequence[Generated | None]) -> Iterator[Row]:
    names = {"valid": "Valid Go", "improved": "Improved", "close": "Close: over two thirds of the way"}
    for name, label in names.items():
        yield from _rows(parts, {f"{name}_share": label}, percent)
        yield from _rows(parts, {f"{name}_interval": "95% interval"}, interval)


def _types(evaluations: Sequence[Evaluation | None]) -> Iterator[tuple[str, list[Row]]]:
    types = [one and one.types for one in evaluations]
    if any(types):
        names = {"decided_share": "Decided by the file alone", "clean_share": "Type-clean, of what is decided"}
        merged = {name: f"{label}: the merged code" for name, label in names.items()}
        yield (
            "Types",
            [
                *_rows(types, {"count": "Count"}),
                *_rows(types, names, percent),
                *_rows([one and one.merged for one in types], merged, percent),
            ],
        )


def _tasks(evaluations: Sequence[Evaluation | None]) -> Iterator[tuple[str, list[Row]]]:
    tasks = [one and one.tasks for one in evaluations]
    if not any(tasks):
        return
    rows = _rows(tasks, {"count": "Tasks", "attempts": "Attempts at each"})
    for k in dict.fromkeys(k for one in tasks if one for k in one.pass_at):
        passed = [one and one.pass_at.get(k) for one in tasks]
        rows += _rows(passed, {"mean": f"pass@{k}"}, percent) + _rows(passed, {"interval": "95% interval"}, interval)
    for verdict in dict.fromkeys(verdict for one in tasks if one for verdict in one.verdicts):
        rows.append(
            Row(f"Attempts: {verdict}", tuple(number(one.verdicts.get(verdict, 0) if one else None) for one in tasks))
        )
    yield "Tasks with tests", rows


def _decisions(evaluations: Sequence[Evaluation | None]) -> Iterator[tuple[str, list[Row]]]:
    names = {
        "count": "Count",
        "copies": "Copies of the input, in no area",
        "balanced_accuracy": "Balanced accuracy",
        "balanced_accuracy_of_a_guess": "The same, of a guess",
        "balanced_log_loss": "Balanced log-loss (nats)",
        "done_auc_among_valid": DONE_AREA,
        "likelihood_auc_among_valid": "The same, by likelihood",
        "done_auc_lead": "The head's area less its strongest rival's",
    }
    bounds = {
        "balanced_accuracy_interval": "Balanced accuracy, 95% interval",
        "done_auc_interval": "DONE among valid, 95% interval",
        "done_auc_lead_interval": "The head's area less its strongest rival's, 95% interval",
    }
    for origin, title in ORIGINS.items():
        for view in ("hidden", "shown"):
            seen = [_decided(one, origin, view) for one in evaluations]
            if any(seen):
                rows = _rows(seen, names) + _rows(seen, bounds, span) + _rivals(seen)
                yield f"Decisions on {title}, feedback {view}", rows


def _rivals(seen: Sequence[Decided | None]) -> list[Row]:
    """A row for each rival: its area, and the head's lead over it with its interval."""
    rivals = [one.rivals if one else {} for one in seen]
    return [
        Row(f"By {name}, and the head's lead", tuple(_rival(one.get(name)) for one in rivals))
        for name in dict.fromkeys(name for one in rivals for name in one)
    ]


def _rival(rival: Rival | None) -> str:
    return f"{number(rival.auc)}, {number(rival.lead)} ({span(rival.lead_interval)})" if rival else ABSENT


def _decided(evaluation: Evaluation | None, origin: str, view: str) -> Decided | None:
    views = getattr(evaluation.decisions, origin, None) if evaluation else None
    return getattr(views, view, None)


def _seconds(evaluations: Sequence[Evaluation | None]) -> list[Row]:
    rows = _counted("{}", [one.seconds if one else None for one in evaluations], 1)
    return [Row(row.name[:1].upper() + row.name[1:], row.cells) for row in rows]


def _counted(label: str, parts: Sequence[Mapping[str, float] | None], places: int) -> list[Row]:
    """A row for each key that one of the parts has."""
    names = dict.fromkeys(name for part in parts if part for name in part)
    return [
        Row(label.format(name), tuple(number(part.get(name) if part else None, places) for part in parts))
        for name in names
    ]


def confusions(evaluation: Evaluation | None) -> list[Confusion]:
    """Return the confusion tables of the run, feedback hidden and shown."""
    tables = []
    for origin, title in ORIGINS.items():
        for view in ("hidden", "shown"):
            seen = _decided(evaluation, origin, view)
            if seen:
                rows = tuple(
                    (label, tuple((count, count / max(sum(row), 1)) for count in row))
                    for label, row in zip(seen.labels, seen.confusion, strict=True)
                )
                tables.append(Confusion(f"{title[:1].upper()}{title[1:]}, feedback {view}", seen.labels, rows))
    return tables
