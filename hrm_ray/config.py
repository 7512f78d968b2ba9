"""One run is one frozen tree of settings.

A setting that contradicts another is refused here, before any work starts; `hrm_ray.settings` reads the tree from a
file and turns a refusal into one sentence.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from hrm_ray.files import parse_yaml

Share = Annotated[float, Field(ge=0, le=1)]
Decay = Annotated[float, Field(ge=0, lt=1)]
Positive = Annotated[float, Field(gt=0)]
NonNegative = Annotated[float, Field(ge=0)]
Count = Annotated[int, Field(ge=1)]

SIZES = ("tiny", "small", "base", "large", "xl")

CHANGEABLE_ON_RESUME = (
    "train.epochs",
    "train.max_steps",
    "train.workers",
    "train.zero_stage",
    "train.worker_cpus",
    "train.log",
    "train.checkpoint",
    "train.validation.every",
    "evaluate",
    "baselines",
    "collect",
    "prepare.input",
    "prepare.jsonl",
    "prepare.workers",
)
"""What a second `train` on the same run folder may change; any other difference is refused (see `resume_conflicts`)."""


class Section(BaseModel):
    """Base of every part of the tree: frozen, and unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)


class Filters(Section):
    """Which pull requests of a history are kept; bots, vendored, test-data and generated files are always left out."""

    go_files: tuple[Count, Count] = (1, 20)
    """Fewest and most changed Go files."""
    added_lines: tuple[Annotated[int, Field(ge=0)], Count] = (1, 2000)
    """Fewest and most added lines of these files together."""

    @model_validator(mode="after")
    def _are_ranges(self) -> Self:
        for name, (least, most) in (("go_files", self.go_files), ("added_lines", self.added_lines)):
            if least > most:
                raise ValueError(f"{name} [{least}, {most}] leaves nothing: the first number exceeds the second")
        return self


class Collect(Section):
    """What `collect` gathers: pull requests that it makes up, or those and the documented functions of clones.

    `synthetic` makes `pull_requests` of them in each of `repositories`; `history` takes the newest `pull_requests` of
    each of `clones`; `functions` takes every documented function of their newest trees.
    """

    source: Literal["synthetic", "history", "functions"] = "synthetic"
    repositories: Count = 10
    pull_requests: Count = 50
    clones: tuple[Annotated[str, Field(min_length=1)], ...] = ()
    """Folders of git clones, or URLs that git can clone."""
    filters: Filters = Filters()

    @model_validator(mode="after")
    def _names_its_source(self) -> Self:
        if self.source != "synthetic" and not self.clones:
            raise ValueError(f"source {self.source} needs clones: the folders or URLs of git repositories")
        if self.source == "synthetic" and self.clones:
            raise ValueError("clones are given but source is synthetic, which reads none; set source: history")
        if len(set(self.clones)) < len(self.clones):
            raise ValueError("a clone is listed twice")
        return self


class Shares(Section):
    """Share of the examples that each fold aims at."""

    train: Share = 0.7
    judge: Share = 0.1
    validation: Share = 0.1
    test: Share = 0.1

    @model_validator(mode="after")
    def _sums_to_one(self) -> Self:
        total = self.train + self.judge + self.validation + self.test
        if abs(total - 1) > 1e-6:
            raise ValueError(f"the shares sum to {total:g}, not to 1")
        if self.train == 0:
            raise ValueError("the share of train is 0, so there would be nothing to learn from")
        return self


class Split(Section):
    """Folds are whole repositories, or consecutive periods of merge time; never random examples."""

    by: Literal["repository", "time"] = "repository"
    shares: Shares = Shares()


class Prepare(Section):
    """From pull requests to shards. `input: null` reads what `collect` wrote into the data folder."""

    input: Path | None = None
    window: Annotated[int, Field(ge=64)] = 1024
    vocab_size: Annotated[int, Field(ge=320, le=65536)] = 4096
    max_plan_steps: Count = 12
    test_weight: Share = 0.3
    """Weight of an example from a `_test.go` file; every other example weighs 1."""
    split: Split = Split()
    functions: Path | None = None
    """Documented functions to train on beside the changes: what `collect` writes with `source: functions`."""
    function_weight: Share = 0.3
    """Weight of such a function."""
    jsonl: bool = False
    """Also write the examples as `train.jsonl`, `judge.jsonl`, `val.jsonl` and `test.jsonl`."""
    workers: Count = 2
    """CPUs that the local Ray instance gets."""


class Depth(Section):
    """Passes that carry gradient: grows from `min` to `max` over the first `warmup` share of the steps."""

    min: Annotated[int, Field(ge=2)] = 3
    max: Annotated[int, Field(ge=2)] = 5
    warmup: Share = 0.2


class Model(Section):
    """The shape of the network. `size` names a file of `hrm_ray/model/sizes/`; keys beside it override that file."""

    size: Literal["tiny", "small", "base", "large", "xl"] = "tiny"
    mode: Literal["hrm", "plain"] = "hrm"
    hidden: Count
    layers: Count
    """Blocks in each of the two stacks; in `plain` mode, blocks in the one stack."""
    heads: Count
    intermediate: Count
    tied: bool = True
    h_cycles: Count = 2
    l_cycles: Count = 3
    depth: Depth = Depth()
    inject: bool = False
    """Add the embedding to the input of every L pass."""
    rope_theta: Positive = 1e4
    norm_eps: Positive = 1e-6

    @model_validator(mode="before")
    @classmethod
    def _fill_from_size(cls, given: Any) -> Any:  # noqa: ANN401 - pydantic hands over whatever the file held
        if not isinstance(given, Mapping) or given.get("size", "tiny") not in SIZES:
            return given
        text = resources.files("hrm_ray.model").joinpath(f"sizes/{given.get('size', 'tiny')}.yaml").read_text("utf-8")
        return {**parse_yaml(text, "the size's file"), **given}

    @model_validator(mode="after")
    def _is_trainable(self) -> Self:
        if self.hidden % self.heads or (self.hidden // self.heads) % 2:
            raise ValueError(f"hidden {self.hidden} over {self.heads} heads is not an even whole number per head")
        if self.mode == "plain":
            return self
        passes = self.h_cycles * (self.l_cycles + 1)
        if not self.depth.min <= self.depth.max <= passes:
            raise ValueError(f"depth {self.depth.min}..{self.depth.max} must rise and stay within {passes} passes")
        if self.depth.min < self.h_cycles + 1 and not self.inject:
            raise ValueError(
                f"depth.min {self.depth.min} is below h_cycles + 1 = {self.h_cycles + 1}, which leaves the input "
                "embedding without gradient; raise it or set inject: true"
            )
        return self


class Losses(Section):
    """Weights of the three losses in the total."""

    plan: NonNegative = 0.4
    code: NonNegative = 0.4
    refinement: NonNegative = 0.2

    @model_validator(mode="after")
    def _trains_something(self) -> Self:
        if self.plan + self.code + self.refinement == 0:
            raise ValueError("every loss weight is 0, so nothing would be trained")
        return self


class Schedule(Section):
    """Learning rate over the optimizer steps: linear warm-up to `peak`, then `kind` down to `floor * peak`."""

    kind: Literal["cosine", "linear", "wsd", "constant"] = "cosine"
    peak: Positive = 2e-3
    warmup: Share = 0.05
    """Share of the horizon."""
    decay: Share = 0.2
    """Share of the horizon that `wsd` spends falling."""
    floor: Share = 0.1
    """Rate at the last step, as a share of `peak`."""

    @model_validator(mode="after")
    def _fits_the_horizon(self) -> Self:
        if self.kind == "wsd" and self.warmup + self.decay > 1:
            raise ValueError(f"warmup {self.warmup:g} and decay {self.decay:g} together exceed the horizon")
        return self


class Optimizer(Section):
    """AdamW; no weight decay on embeddings and on vectors."""

    betas: tuple[Decay, Decay] = (0.9, 0.95)
    eps: Positive = 1e-8
    weight_decay: NonNegative = 0.1
    clip: Positive = 1.0
    """Largest global gradient norm."""
    max_bad_steps: Count = 5
    """Consecutive steps with a non-finite loss or gradient after which the run stops."""


class Checkpoint(Section):
    """A checkpoint every `every` optimizer steps and at the end; the newest `keep` and the best are kept."""

    every: Count = 100
    keep: Count = 2


class Validation(Section):
    """Losses on the first `examples` validation examples (by hash of their id) every `every` optimizer steps, and at
    every checkpoint."""

    every: Count = 50
    examples: Count = 200


class Log(Section):
    """A metrics line every `every` optimizer steps."""

    every: Count = 1
    tensorboard: bool = True


class Train(Section):
    """A step is `rows` packed rows of `prepare.window` tokens, `micro_rows` of them at a time."""

    epochs: Count = 1
    max_steps: Count | None = None
    rows: Count = 16
    micro_rows: Count = 4
    judge_rows: Annotated[int, Field(ge=0)] = 2
    """Rows of the step that hold judge documents; the others hold solve documents."""
    no_plan: Share = 0.1
    """Share of solve documents trained without a plan, so that `no plan` can be evaluated."""
    workers: Annotated[int, Field(ge=0)] = 0
    """Ray Train workers, one rank of DeepSpeed each; 0 is this one process, without Ray and without DeepSpeed."""
    zero_stage: Literal[0, 1, 2, 3] = 1
    """What the workers share out (ZeRO, arXiv 1910.02054): 0 nothing, 1 the optimizer's state, 2 the gradients too, 3
    the weights too. Nothing where `workers` is 0."""
    worker_cpus: Count = 1
    """CPUs that Ray keeps for each worker, and threads that torch uses there."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    losses: Losses = Losses()
    schedule: Schedule = Schedule()
    optimizer: Optimizer = Optimizer()
    checkpoint: Checkpoint = Checkpoint()
    validation: Validation = Validation()
    log: Log = Log()

    @model_validator(mode="after")
    def _divides(self) -> Self:
        if self.rows % self.micro_rows:
            raise ValueError(f"rows {self.rows} is not a multiple of micro_rows {self.micro_rows}")
        if self.workers > self.rows:
            raise ValueError(f"workers {self.workers} is more than the {self.rows} rows of a step: some would idle")
        if self.judge_rows >= self.rows:
            raise ValueError(f"judge_rows {self.judge_rows} leaves none of the {self.rows} rows for solve documents")
        if self.losses.refinement > 0 and self.judge_rows == 0:
            raise ValueError("losses.refinement is above 0 but judge_rows is 0: there is nothing to compute it from")
        return self


class Evaluate(Section):
    """`generations` held-out examples are written by the model (`temperature: 0` is greedy), and `judgements` attempts
    that were constructed at `prepare` are judged; both are the first by hash of the id."""

    split: Literal["validation", "test"] = "test"
    generations: Count = 200
    judgements: Count = 600
    batch: Count = 32
    max_plan_tokens: Count = 192
    max_code_tokens: Count = 768
    temperature: NonNegative = 0.0
    top_p: Annotated[float, Field(gt=0, le=1)] = 1.0


class Config(Section):
    """One run. `runs/NAME` is its folder; `data` is the dataset that prepare writes and train reads."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
    data: Path
    runs: Path = Path("runs")
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0
    collect: Collect = Collect()
    prepare: Prepare = Prepare()
    model: Model = Field(default_factory=lambda: Model.model_validate({}))
    train: Train = Train()
    baselines: tuple[Literal["equal_parameters", "equal_flops"], ...] = ()
    """Plain models that are trained beside the run, on the same data and steps."""
    evaluate: Evaluate = Evaluate()

    @model_validator(mode="after")
    def _parts_agree(self) -> Self:
        if self.baselines and self.model.mode == "plain":
            raise ValueError("baselines are plain models beside an hrm, and model.mode is plain already")
        if len(set(self.baselines)) < len(self.baselines):
            raise ValueError("baselines names one twice")
        if self.train.judge_rows and self.prepare.split.shares.judge == 0:
            raise ValueError("train.judge_rows is above 0 but prepare.split.shares.judge is 0: none would ever come")
        return self

    @property
    def run_dir(self) -> Path:
        """Folder of everything that belongs to this run."""
        return self.runs / self.name

    @property
    def pull_requests(self) -> Path:
        """Records that `prepare` reads; `collect` writes them when `prepare.input` is not given."""
        return self.prepare.input or self.data / "pull_requests.parquet"

    @property
    def functions(self) -> Path:
        """Functions that `collect` writes; `prepare` reads them only where `prepare.functions` names them."""
        return self.prepare.functions or self.data / "functions.jsonl"
