"""A run folder, read and checked: the forms are those of docs/formats.md.

`run.json` and `config.yaml` must be there; metrics, evaluation and generations may be missing, which the report says.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import BeforeValidator, Field

from hrm_ray.errors import UserError
from hrm_ray.evaluate import series
from hrm_ray.files import BASELINES as BASELINES
from hrm_ray.files import Record, parse_record, read_record, read_text, repetitions
from hrm_ray.run_records import RunRecord


def _interval(given: Any) -> Any:  # noqa: ANN401 - a JSON value
    return None if given == [None, None] else given


Share = Annotated[float, Field(ge=0, le=1)]
Interval = Annotated[tuple[float, float] | None, BeforeValidator(_interval)]
Row = Annotated[tuple[int, ...], Field(min_length=3, max_length=3)]


class Bits(Record):
    """Bits of plans and of code for each of their own bytes, behind the true plan."""

    plan_bits_per_byte: float | None
    code_bits_per_byte: float | None


class TotalBits(Bits):
    """And of both for each byte of code."""

    plan_and_code_bits_per_code_byte: float | None


class BehindPlans(Record):
    """Bits per byte of the same code behind three plans: of the examples that were written to."""

    examples: int
    code_bits_per_byte: float | None
    code_bits_per_byte_predicted_plan: float | None
    code_bits_per_byte_no_plan: float | None


class Losses(TotalBits):
    """Bits on held-out examples; `by` has those of groups of them."""

    examples: int
    code_bytes: int
    code_bits_per_byte_no_plan: float | None
    predicted_plan: BehindPlans | None = None
    by: Mapping[str, Mapping[str, Losses]] = {}


class Generated(Record):
    """Shares over generated declarations; null where `count` is 0."""

    count: int
    finished_share: Share | None
    valid_share: Share | None
    valid_interval: Interval = None
    first_share: Share | None = None
    """Valid and a change as first written, without another try."""
    tries: float | None = None
    improved_share: Share | None
    improved_interval: Interval
    close_share: Share | None = None
    close_interval: Interval = None
    exact_share: Share | None
    copy_share: Share | None
    valid_share_of_changed: Share | None = None
    edit_similarity: Share | None
    copy_edit_similarity: Share | None
    chrf: Share | None = None
    plan_adherence: Share | None = None


class Written(Record):
    """What was written, all and by kind of change."""

    all: Generated
    added: Generated
    modified: Generated


class Generation(Written):
    """What a network wrote, how it drew, and to how many of the fold's changes, by kind, nothing can improve."""

    temperature: float
    candidates: int = 1
    candidate_temperature: float | None = None
    left_out: Mapping[str, int] | None = None


class State(Bits):
    """Bits read from the state that one pass leaves."""

    state: str
    cycle: int
    pass_: Annotated[int, Field(alias="pass")]


class Probes(Record):
    """What each state knows, and the model without a stack's last cycle."""

    states: tuple[State, ...]
    without: Mapping[str, Bits]


class NGram(Record):
    """The model that only counts."""

    order: int
    losses: TotalBits
    generation: Written


class Rival(Record):
    """A rule that knows nothing of the change, in the head's place, and the head's lead over it."""

    auc: Share | None
    lead: float | None
    lead_interval: Interval = None


class Decided(Record):
    """Decisions on attempts; rows of `confusion` are the true label."""

    count: int
    copies: int | None = None
    """Attempts that are the input unchanged, which are no part of the areas."""
    labels: tuple[str, str, str]
    confusion: tuple[Row, Row, Row]
    balanced_accuracy: Share | None
    balanced_accuracy_interval: Interval = None
    balanced_accuracy_of_a_guess: Share | None = None
    balanced_log_loss: float | None
    done_auc_among_valid: Share | None
    done_auc_interval: Interval = None
    likelihood_auc_among_valid: Share | None
    rivals: Mapping[str, Rival] = {}
    strongest_rival: str | None = None
    done_auc_lead: float | None = None
    done_auc_lead_interval: Interval = None


class Views(Record):
    """The same attempts, the validator's feedback hidden or shown."""

    hidden: Decided
    shown: Decided


class Decisions(Record):
    """Decisions by where the attempts come from."""

    constructed: Views | None = None
    generated: Views | None = None


class Clean(Record):
    """Code in its file: what one file can tell, and what is type-clean of that."""

    decided_share: Share | None
    clean_share: Share | None


class Types(Clean):
    """What was written, and the merged code beside it."""

    count: int
    merged: Clean


class PassAt(Record):
    """pass@k over tasks."""

    mean: Share
    interval: Interval


class Tasks(Record):
    """Tasks with tests."""

    count: int
    attempts: int
    temperature: float
    left_out: Mapping[str, str]
    pass_at: Mapping[str, PassAt]
    verdicts: Mapping[str, int]


class Step(Record):
    """Which checkpoint."""

    step: int


class Evaluation(Record):
    """`evaluation.json`."""

    checkpoint: Step
    split: str
    test_reads: int | None
    """How often the test fold was read, this time included; None where another fold was."""
    synthetic: bool
    parameters: int
    repositories: tuple[str, ...]
    losses: Losses
    validation: Losses | None = None
    """Of the whole validation fold, where the split is another."""
    generation: Generation
    decisions: Decisions | None = None
    probes: Probes | None = None
    ngram: NGram | None = None
    unchecked: Written | None = None
    """Written once, nothing refused but by the grammar."""
    random_edit: Written | None = None
    """One random line of each modification changed, legally."""
    copying: Written | None = None
    types: Types | None = None
    tasks: Tasks | None = None
    seconds: Mapping[str, float] = {}


class Diagnostic(Record):
    """The first syntax error; line and column count from 1."""

    kind: str
    line: int
    column: int
    message: str


class Held(Record):
    """A held-out example, by its id and its pull request."""

    id: str
    repository: str
    number: int


class Read(Held):
    """A line of `losses.jsonl`."""

    plan_nats: float
    code_nats: float

    @property
    def nats(self) -> float:
        """Of plan and code."""
        return self.plan_nats + self.code_nats


class Sample(Held):
    """A line of `generations.jsonl`."""

    path: str
    change: str
    title: str
    body: str
    before: str
    plan: str
    predicted_plan: str
    code: str
    generated: str
    finished: bool
    valid: bool
    diagnostic: Diagnostic | None
    improved: bool
    exact: bool
    edit_similarity: float | None
    copy_edit_similarity: float | None
    decision: str | None = None
    log_likelihood: float | None = None


class Best(Record):
    """`checkpoints/best.json`."""

    step: int
    objective: float | None


@dataclass(frozen=True)
class RunFolder:
    """Everything that the report reads of one run; None and empty where a file is missing."""

    run: RunRecord
    settings: str
    """`config.yaml` as it stands: settings of any version can be reported."""
    metrics: series.Metrics | None
    evaluation: Evaluation | None
    samples: tuple[Sample, ...] | None
    read: tuple[Read, ...] | None
    best: Best | None
    baselines: Mapping[str, RunFolder]
    repetitions: tuple[RunFolder, ...] = ()
    """With other seeds, each with baselines of its own."""

    @property
    def last_step(self) -> int | None:
        """The last optimizer step that training logged; it always logs the one at its horizon."""
        return self.metrics.last_step if self.metrics else None

    @property
    def finished(self) -> bool:
        """Whether training is known to have ended at its horizon."""
        return self.last_step == self.run.horizon

    @property
    def outdated(self) -> bool:
        """Whether the best checkpoint is no longer the one that was evaluated."""
        return bool(self.evaluation and self.best and self.evaluation.checkpoint.step != self.best.step)


R = TypeVar("R", bound=Record)


def read(run_dir: Path) -> RunFolder:
    """Read the run folder with those of its baselines and of its repetitions.

    Raises:
        UserError: the folder, `run.json` or `config.yaml` is missing, or a file holds what it must not.
    """
    run = _object(run_dir / "run.json", RunRecord)
    if run is None:
        raise UserError(f"{run_dir}: not a run folder, run.json is missing")
    metrics = run_dir / "metrics.jsonl"
    folders = {role: run_dir / "baselines" / role for role in BASELINES}
    return RunFolder(
        run=run,
        settings=read_text(run_dir / "config.yaml"),
        metrics=series.read(metrics) if metrics.is_file() else None,
        evaluation=_object(run_dir / "evaluation.json", Evaluation),
        samples=_lines(run_dir / "generations.jsonl", Sample),
        read=_lines(run_dir / "losses.jsonl", Read),
        best=_object(run_dir / "checkpoints" / "best.json", Best),
        baselines={role: read(folder) for role, folder in folders.items() if (folder / "run.json").is_file()},
        repetitions=tuple(read(folder) for folder in repetitions(run_dir)),
    )


def _object(path: Path, form: type[R]) -> R | None:
    return read_record(path, form) if path.is_file() else None


def _lines(path: Path, form: type[R]) -> tuple[R, ...] | None:
    if not path.is_file():
        return None
    # Not splitlines(): JSON strings may hold U+2028 and its like unescaped.
    texts = read_text(path).removesuffix("\n").split("\n")
    return tuple(
        parse_record(text, form, f"{path} line {line}") for line, text in enumerate(texts, 1) if text or line > 1
    )
