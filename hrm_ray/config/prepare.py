"""Settings of `prepare`."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from hrm_ray.config.section import NUMBER, Count, LocalPath, Section, Share

Form = Literal["edit", "whole"]
"""How a modification is written: as an edit of the numbered lines of the declaration before, or whole."""


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


class Budgets(Section):
    """Shares of the window that the parts of a prefix are shortened to, each part for itself and then all together."""

    problem: Share = 0.25
    """Title and body."""
    outline: Share = 0.25
    anchor: Share = 0.25
    prefix: Annotated[float, Field(gt=0, lt=1), NUMBER] = 0.5
    """Problem and context together; a modification is about as long as what it modifies."""

    @model_validator(mode="after")
    def _fit_the_prefix(self) -> Self:
        for name in ("problem", "outline", "anchor"):
            if (share := getattr(self, name)) > self.prefix:
                raise ValueError(f"{name} {share:g} is more than prefix {self.prefix:g}, which holds it")
        return self


class Decontaminate(Section):
    """Examples that share a run of `words` words with a task of an evaluation are left out."""

    tasks: tuple[LocalPath, ...] = ()
    """JSON-lines files of tasks, whatever their keys are called: every text in them counts; `own` is as in
    `evaluate.tasks`."""
    words: Annotated[int, Field(ge=5), NUMBER] = 13


class Prepare(Section):
    """From pull requests to shards. `input: null` reads what `collect` wrote into the data folder."""

    input: LocalPath | None = None
    form: Form = "whole"
    """How modifications are written: `edit` is hunks over the numbered lines of the declaration before (of 128 lines at
    most), `whole` the declaration after. Additions are always written whole."""
    window: Annotated[int, Field(ge=64), NUMBER] = 1024
    vocab_size: Annotated[int, Field(ge=448, le=65536), NUMBER] = 4096
    """Control tokens (144), all bytes (256) and merges."""
    tokenizer_from: LocalPath | None = None
    """Folder of a model whose tokenizer.json is taken; none is trained then, and `vocab_size` says nothing."""
    budgets: Budgets = Budgets()
    max_plan_steps: Count = 12
    """The step that names a declaration counts too."""
    issues: bool = True
    """Whether the issues that a pull request closed, which were there before it, join its body."""
    test_weight: Share = 0.3
    """Weight of an example from a `_test.go` file; every other example weighs 1."""
    near_duplicate: Annotated[float, Field(gt=0, le=1), NUMBER] = 0.7
    """Resemblance (Jaccard, of runs of five tokens) of what two changes write from which the later one is left out."""
    decontaminate: Decontaminate = Decontaminate()
    split: Split = Split()
    functions: LocalPath | None = None
    """Documented functions to train on beside the changes: what `collect` writes with `source: functions`."""
    function_weight: Share = 0.3
    """Weight of such a function."""
    jsonl: bool = False
    """Also write the examples as `train.jsonl`, `judge.jsonl`, `val.jsonl` and `test.jsonl`."""
    unreadable: Literal["refuse", "skip"] = "refuse"
    """What becomes of a row group or record of the input that cannot be read; what is skipped is named in the card."""
    workers: Count = 2
    """Processes that share the work, a CPU each; a Ray that is started for it has as many."""
