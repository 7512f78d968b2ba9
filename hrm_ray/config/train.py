"""Settings of `train`."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from hrm_ray.config.engine import Ema, Kind, why_not
from hrm_ray.config.section import (
    NUMBER,
    Count,
    Decay,
    LocalPath,
    NonNegative,
    Positive,
    Section,
    Seed,
    Share,
    WarmUp,
    Whole,
)


class Losses(Section):
    """Weights of the losses in the total."""

    plan: NonNegative = 0.4
    code: NonNegative = 0.4
    refinement: NonNegative = 0.2
    copying: NonNegative = 0.4
    """Of the answers of copying documents (`train.copying_rows`)."""

    @model_validator(mode="after")
    def _trains_something(self) -> Self:
        if self.plan + self.code + self.refinement == 0:
            raise ValueError("every loss weight is 0, so nothing would be trained")
        return self


class Schedule(WarmUp):
    """Learning rate over the optimizer steps: linear warm-up to `peak`, then `kind` down to `floor * peak`.

    A schedule that falls ends at its floor in every run, of one step and of nothing but warm-up too."""

    kind: Literal["cosine", "linear", "wsd", "constant"] = "cosine"
    peak: Positive = 2e-3
    warmup: Share | None = 0.05
    decay: Share = 0.2
    """Share of the horizon that `wsd` spends falling, one step at least; 0: it does not fall."""
    decay_shape: Literal["linear", "1-sqrt"] = "linear"
    """How `wsd` falls: 1-sqrt falls fast at first and ends flat."""
    floor: Share = 0.1
    """Rate at the last step, as a share of `peak`."""

    @model_validator(mode="after")
    def _fits_the_horizon(self) -> Self:
        if self.kind == "wsd" and self.warmup is not None and self.warmup + self.decay > 1:
            raise ValueError(f"warmup {self.warmup:g} and decay {self.decay:g} together exceed the horizon")
        return self


class Optimizer(Section):
    """No weight decay on embeddings and on vectors."""

    kind: Kind = "adamw"
    """AdamW; AdamATan2 (arXiv 2407.05872), which has no `eps`; or, for the matrices of the stacks, Muon with a momentum
    of 0.95 and steps of AdamW's size (arXiv 2502.16982), beside AdamW for all else."""
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
    probes: Whole = 100
    """Validation modifications on which it is measured each time whether the network reads its input, beside 32 made-up
    copies; 0 measures neither."""
    generations: Whole = 0
    """Changes that are written each time, within the budgets of `evaluate`, to see what share is valid Go."""


class Log(Section):
    """A metrics line every `every` optimizer steps, to `metrics.jsonl` and to each of `to`."""

    every: Count = 1
    to: tuple[Literal["tensorboard", "wandb", "mlflow"], ...] = ("tensorboard",)
    gradients_every: Whole = 0
    """Steps between two measurements of each loss's own gradient, which cost as much as three steps; 0 is never."""

    @model_validator(mode="before")
    @classmethod
    def _takes_what_it_was(cls, given: Any) -> Any:  # noqa: ANN401 - whatever YAML can hold
        """Read `tensorboard: true`, which run folders of before `to` hold."""
        if isinstance(given, dict) and "tensorboard" in given and "to" not in given:
            rest = {key: value for key, value in given.items() if key != "tensorboard"}
            return rest | {"to": ("tensorboard",) if given["tensorboard"] else ()}
        return given

    @model_validator(mode="after")
    def _names_each_once(self) -> Self:
        if len(set(self.to)) < len(self.to):
            raise ValueError("to names one twice")
        return self


class Ingredient(Section):
    """A dataset whose training fold gives `weight` of the solve rows; the main one gives what all others leave."""

    data: LocalPath
    weight: Annotated[float, Field(gt=0, lt=1), NUMBER]


class Train(Section):
    """A step is `rows` packed rows of `prepare.window` tokens, `micro_rows` of them at a time."""

    seed: Seed = 0
    """Added to the `seed` of all for the weights and the order of the rows, so that the folds stay what they are."""
    epochs: Count = 1
    max_steps: Count | None = None
    rows: Count = 16
    micro_rows: Count = 4
    judge_rows: Whole = 2
    """Rows of the step that hold judge documents; the others hold solve documents."""
    copying_rows: Whole = 0
    """Rows of the step whose answers stand in their prefixes: copies of random tokens and of declarations, and in the
    edit form mostly random edits that the problem spells out. Unchanged lines of changes were .60 nats after 500 steps
    with one row of seven, .83 without (docs/log.md, 2026-11-30)."""
    no_plan: Share = 0.1
    """Share of solve documents trained without a plan, so that `no plan` can be evaluated."""
    mixture: tuple[Ingredient, ...] = ()
    """Datasets beside `data`. An epoch is one of `data`; the others are gone through as often as their weights ask."""
    curriculum: Share = 0.0
    """How far the first epoch of `data` goes from short documents to long ones: 0 is a random order, 1 the order of
    lengths. Documents of a `mixture` always come in a random order. Rows of documents that are alike fill less well:
    98% at 0, 93% at 0.5, 80% at 1 (docs/log.md, 2026-11-25)."""
    workers: Whole = 0
    """Ray Train workers, one rank of DeepSpeed each; 0 is this one process, without Ray and without DeepSpeed."""
    zero_stage: Annotated[Literal[0, 1, 2, 3], NUMBER] = 1
    """What the workers share out (ZeRO, arXiv 1910.02054): 0 nothing, 1 the optimizer's state, 2 the gradients too, 3
    the weights too. Nothing where `workers` is 0."""
    offload_optimizer: bool = False
    """Keep the optimizer's state and its arithmetic in the host's memory: slower, for models that do not fit."""
    activation_checkpointing: bool = False
    """Keep only the inputs of blocks for the backward and compute the rest again: the same numbers in much less memory,
    for one more forward of the passes with gradient."""
    compile: bool = False
    """Compile blocks with torch.compile, which on a CPU needs a C++ compiler: a few seconds at the start, for fewer
    passes over memory in each step (docs/log.md, 2026-11-25)."""
    worker_cpus: Count = 1
    """CPUs that Ray keeps for each worker, and threads that torch uses there."""
    late_seconds: Count = 60
    """After so long without a sign of a worker's work, a line says which one is late and since when."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    losses: Losses = Losses()
    schedule: Schedule = Schedule()
    optimizer: Optimizer = Optimizer()
    ema: Ema | None = None
    checkpoint: Checkpoint = Checkpoint()
    validation: Validation = Validation()
    log: Log = Log()
    profile: tuple[Count, Count] | None = None
    """First and last step of which torch's profiler writes a trace into the run folder."""

    @model_validator(mode="after")
    def _traces_forwards(self) -> Self:
        if self.profile and self.profile[0] > self.profile[1]:
            raise ValueError(f"profile {list(self.profile)} ends before it begins")
        return self

    @model_validator(mode="after")
    def _parts_agree(self) -> Self:
        if (total := sum(part.weight for part in self.mixture)) >= 1:
            raise ValueError(f"the weights of mixture sum to {total:g}, which leaves nothing for data")
        if self.judge_rows + self.copying_rows >= self.rows:
            named = f"judge_rows {self.judge_rows} and copying_rows {self.copying_rows}"
            raise ValueError(f"{named} leave none of the {self.rows} rows for solve documents")
        if self.losses.refinement > 0 and self.judge_rows == 0:
            raise ValueError("losses.refinement is above 0 but judge_rows is 0: there is nothing to compute it from")
        return self

    @model_validator(mode="after")
    def _can_be_run(self) -> Self:
        reason = why_not(self.optimizer.kind, self.workers, self.zero_stage, self.offload_optimizer)
        if reason:
            raise ValueError(reason)
        if self.compile and self.workers and self.zero_stage == 3:
            raise ValueError("compile is on but zero_stage is 3, which exchanges weights inside of what is compiled")
        return self
