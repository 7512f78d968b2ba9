"""Settings of `prepare`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from hrm_ray.config.section import Count, Section, Share


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
