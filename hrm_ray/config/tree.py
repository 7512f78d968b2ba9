"""The whole tree of settings."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from hrm_ray.config.clean import Clean
from hrm_ray.config.collect import Collect
from hrm_ray.config.model import Model
from hrm_ray.config.prepare import Prepare
from hrm_ray.config.section import NUMBER, Count, LocalPath, Name, NonNegative, Positive, Section, Seed, Share, Whole
from hrm_ray.config.train import Train

CHANGEABLE_ON_RESUME = (
    "train.epochs",
    "train.max_steps",
    "train.micro_rows",
    "train.workers",
    "train.zero_stage",
    "train.offload_optimizer",
    "train.activation_checkpointing",
    "train.compile",
    "train.worker_cpus",
    "train.late_seconds",
    "train.log",
    "train.profile",
    "train.checkpoint",
    "train.validation.every",
    "train.validation.generations",
    "train.validation.probes",
    "evaluate",
    "baselines",
    "seeds",
    "collect",
    "prepare.input",
    "prepare.jsonl",
    "prepare.workers",
)
"""What a second `train` on the same run folder may change; any other difference is refused (see `resume_conflicts`)."""


class Evaluate(Section):
    """`generations` held-out examples are written by the model (`temperature: 0` is greedy), and `judgements` attempts
    that were constructed at `prepare` are judged; both are the first by hash of the id. `workers` Ray actors write,
    `batch` of them at a time each; 0 is this process."""

    split: Literal["validation", "test"] = "test"
    generations: Count = 200
    judgements: Count = 600
    batch: Count = 32
    workers: Whole = 0
    max_plan_tokens: Count = 192
    max_code_tokens: Count = 768
    temperature: NonNegative = 0.0
    top_p: Annotated[float, Field(gt=0, le=1), NUMBER] = 1.0
    min_p: Share = 0.0
    """Tokens below this share of the likeliest one's probability are not drawn."""
    candidates: Count = 6
    """Answers that are written to each change, all but the first drawn at `candidate_temperature`: the likeliest of
    those that are valid Go and a change is taken, the first where none is. Attempts at tasks are written once each."""
    candidate_temperature: Positive = 0.6
    tasks: tuple[LocalPath, ...] = ()
    """JSON-lines files of tasks whose tests are run on what the model writes for them; `own` is the one that ships."""
    task_samples: Count = 1
    """Attempts at each task."""

    @model_validator(mode="after")
    def _samples_differ(self) -> Self:
        if self.tasks and self.task_samples > 1 and self.temperature == 0:
            raise ValueError(
                f"task_samples is {self.task_samples} and temperature 0, so all attempts at a task would be the same: "
                "set evaluate.temperature above 0, or evaluate.task_samples to 1"
            )
        return self


class Config(Section):
    """One run. `runs/NAME` is its folder; `data` is the dataset that prepare writes and train reads."""

    name: Name
    data: LocalPath
    runs: LocalPath = Path("runs")
    seed: Seed = 0
    collect: Collect = Collect()
    clean: Clean = Clean()
    prepare: Prepare = Prepare()
    model: Model = Field(default_factory=lambda: Model.model_validate({}))
    train: Train = Train()
    baselines: tuple[Literal["equal_parameters", "equal_flops"], ...] = ()
    """Plain models that are trained beside the run, on the same data and steps."""
    seeds: Count = 1
    """How often all this is trained, each time with the next `train.seed`: what differs then is luck."""
    evaluate: Evaluate = Evaluate()

    @model_validator(mode="after")
    def _parts_agree(self) -> Self:
        if self.baselines and self.model.init_from is not None:
            raise ValueError(
                "baselines start from nothing, so beside model.init_from they would show what the earlier training was "
                "worth, not the recurrence: leave one of the two out"
            )
        if self.baselines and self.model.mode == "plain":
            raise ValueError("baselines are plain models beside an hrm, and model.mode is plain already")
        if len(set(self.baselines)) < len(self.baselines):
            raise ValueError("baselines names one twice")
        if self.train.judge_rows and self.prepare.split.shares.judge == 0:
            raise ValueError("train.judge_rows is above 0 but prepare.split.shares.judge is 0: none would ever come")
        if len(set(self.datasets)) < len(self.datasets):
            raise ValueError("train.mixture names a dataset twice, or names data")
        return self

    @property
    def datasets(self) -> tuple[Path, ...]:
        """Folders of all datasets that training sees, the main one first."""
        return (self.data, *(part.data for part in self.train.mixture))

    def with_datasets(self, folders: Iterable[Path]) -> Self:
        """Return the same settings with the same datasets in other `folders`."""
        main, *others = folders
        parts = zip(self.train.mixture, others, strict=True)
        mixture = tuple(part.model_copy(update={"data": folder}) for part, folder in parts)
        return self.model_copy(update={"data": main, "train": self.train.model_copy(update={"mixture": mixture})})

    def absolute(self) -> Self:
        """Return the same settings, with the folders that training opens spelled in the one way that they all have."""
        source = self.model.init_from and self.model.init_from.resolve()
        changed = {"runs": self.runs.resolve(), "model": self.model.model_copy(update={"init_from": source})}
        return self.with_datasets(data.resolve() for data in self.datasets).model_copy(update=changed)

    @property
    def train_seed(self) -> int:
        """Seed of the weights and of the order of the rows; `seed` itself is that of the folds."""
        return self.seed + self.train.seed

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
