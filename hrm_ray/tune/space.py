"""A search is one frozen tree of settings beside the experiment that it searches.

Whatever a trial could draw is tried on the real settings when the search is read, so that no trial dies of a bad value.
"""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_serializer, model_validator

from hrm_ray import settings
from hrm_ray.config import Config, Count, Section
from hrm_ray.config.section import NUMBER, LocalPath, Name, Number, Seed
from hrm_ray.settings import ConfigError

CORNERS = 256
"""Most combinations of ends that are tried when a search is read; half a second."""

Values = Mapping[str, Any]
"""What a trial drew, by dotted key."""

SEARCHABLE = (
    "train.losses",
    "train.schedule",
    "train.optimizer.betas",
    "train.optimizer.eps",
    "train.optimizer.weight_decay",
    "train.optimizer.clip",
)
"""What may differ between trials: they are compared at equal steps of the same batches from the same first weights, and
everything else would change the batches, the weights, or what a step costs."""


def _dotted(tree: Any) -> Any:  # noqa: ANN401 - pydantic hands over whatever the file held
    return dict(settings.leaves(tree)) if isinstance(tree, dict) else tree


def _domains(tree: Any) -> Any:  # noqa: ANN401
    if not isinstance(tree, dict):
        return tree
    domains: dict[str, Any] = {}
    for path, value in settings.leaves(tree):
        key, _, kind = path.rpartition(".")
        if get_close_matches(kind, Domain.model_fields) and isinstance(domains.setdefault(key, {}), dict):
            domains[key][kind] = value
        else:
            domains[path] = value  # not a domain, which is said of the whole key
    return domains


class Domain(Section):
    """The values that one key may take: one of `choice`, or a number between two, drawn evenly or evenly in its log."""

    choice: tuple[Any, ...] | None = None
    uniform: tuple[Number, Number] | None = None
    log_uniform: tuple[Number, Number] | None = None

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if sum(getattr(self, kind) is not None for kind in type(self).model_fields) != 1:
            raise ValueError(f"give exactly one of {', '.join(type(self).model_fields)}")
        if self.choice is not None and len(self.choice) < 2:
            raise ValueError("a choice of fewer than two is none; give the value under set")
        if self.range and self.range[0] >= self.range[1]:
            raise ValueError(f"the range {list(self.range)} must rise")
        if self.log_uniform and self.log_uniform[0] <= 0:
            raise ValueError(f"the range {list(self.log_uniform)} has no logarithm at its lower end")
        return self

    @model_serializer
    def _as_given(self) -> dict[str, Any]:
        return {kind: value for kind in self.model_fields_set if (value := getattr(self, kind)) is not None}

    @property
    def range(self) -> tuple[float, float] | None:
        """Lowest and highest value, of numbers."""
        return self.uniform or self.log_uniform

    def share(self, value: float) -> float:
        """Return where in the range a number lies, 0 at the lower end and 1 at the upper, as evenly as it is drawn."""
        low, high = self.range or (0.0, 1.0)
        if self.log_uniform:
            low, value, high = math.log(low), math.log(value), math.log(high)
        return (value - low) / (high - low)

    def nearest(self, value: Any) -> Any:  # noqa: ANN401
        """Return `value` where it could be drawn, else one that could."""
        if self.range is None:
            return value if value in self.ends else self.ends[0]
        low, high = self.range
        return value if isinstance(value, int | float) and low <= value <= high else low

    @property
    def ends(self) -> tuple[Any, ...]:
        """The values at which a bad domain would show: every choice, or both ends."""
        return self.choice or self.range or ()


class Rungs(Section):
    """Steps at which trials are compared and the worse ones stopped: `first`, then each time `reduction` times as many.

    A trial goes on if it is among the best 1/`reduction` of those that have come to that rung so far (asynchronous
    successive halving, arXiv 1810.05934).
    """

    first: Count = 100
    reduction: Annotated[int, Field(ge=2), NUMBER] = 3
    decay: Annotated[float, Field(gt=0, le=1), NUMBER] = 0.2
    """A rung's value is measured after so many more steps, as a share of the rung's, that take the rate down to its
    floor; the trial then goes on from the rung as if they had not been made."""

    def forks(self, horizon: int) -> dict[int, int]:
        """Return each rung before the end of a trial, with the steps of its fork: they never go beyond that end."""
        steps = (self.first * self.reduction**index for index in itertools.count())
        rungs = itertools.takewhile(lambda step: step < horizon, steps)
        return {step: min(max(1, round(self.decay * step)), horizon - step) for step in rungs}


class Search(Section):
    """One search. `runs/NAME` is its folder, where the runs, the data and all other settings are those of `base`."""

    name: Name
    base: LocalPath
    """The experiment that is searched, from the folder of this file."""
    set: Annotated[dict[str, Any], BeforeValidator(_dotted), Field(default_factory=dict)]
    """What trials do otherwise than `base`, such as fewer steps; the winner is trained without it."""
    space: Annotated[dict[str, Domain], Field(min_length=1), BeforeValidator(_domains)]
    trials: Annotated[int, Field(ge=2), NUMBER]
    concurrent: Count = 2
    """Trials at a time, each in a process of its own with one CPU."""
    seed: Seed = 0
    """Of what trials draw; their data and first weights come from the seed of `base`, the same for all."""
    scheduler: Literal["asha", "fifo"] = "asha"
    """`asha` stops the worse trials at each rung; `fifo` takes every trial to its end: a random search."""
    rungs: Rungs = Rungs()
    """Of `asha` only."""

    @model_validator(mode="after")
    def _parts_agree(self) -> Self:
        if self.concurrent > self.trials:
            raise ValueError(f"concurrent {self.concurrent} is more than the {self.trials} trials: some would idle")
        if both := sorted(self.set.keys() & self.space.keys()):
            raise ValueError(f"{both[0]} is both set and searched")
        for key in self.set:
            if not key.startswith("train."):
                raise ValueError(f"set may change train only, not {key}: trials share the data and network of the base")
        for key in self.space:
            if not f"{key}.".startswith(tuple(f"{known}." for known in SEARCHABLE)):
                raise ValueError(f"{key} cannot be searched; only these can: {', '.join(SEARCHABLE)}")
        return self

    def forks(self, horizon: int) -> dict[int, int]:
        """Return the steps before `horizon` at which a trial may be stopped, with the steps of their forks."""
        return self.rungs.forks(horizon) if self.scheduler == "asha" else {}


@dataclass(frozen=True)
class Study:
    """A search and the experiment that it searches; `source` is the name that errors give it."""

    search: Search
    base: Mapping[str, Any]
    source: str

    @property
    def experiment(self) -> Config:
        """The settings that trials have in common. Paths are absolute: a trial does not run in this folder.

        A trial asks for one CPU and no GPU, so that it must not take one either.
        """
        one = resolve(self.base, {**self.search.set, "train.device": "cpu"}, f"{self.source}: set")
        folder = (one.runs / self.search.name / "trials").resolve()
        return one.absolute().model_copy(update={"runs": folder, "baselines": (), "seeds": 1})

    @property
    def folder(self) -> Path:
        """Folder of everything that belongs to this search."""
        return settings.parse(self.base, self.source).runs / self.search.name

    def winner(self, values: Values) -> Config:
        """Return the experiment with the values of the best trial, and without what was `set` for trials alone."""
        one = resolve(self.base, values, f"{self.source}: space, without what is set")
        return one.model_copy(update={"name": f"{self.search.name}-best"})

    def check(self) -> None:
        """Refuse what contradicts the experiment.

        Raises:
            ConfigError: a key does not exist, or a value that could be drawn cannot be used.
        """
        train, rungs = self.experiment.train, self.search.rungs
        for values in self._drawable():
            resolve(self.base, {**self.search.set, **values}, f"{self.source}: space")
            self.winner(values)
        if train.workers:
            raise ConfigError(
                f"{self.source}: train.workers is {train.workers}, but a trial is one process; set train.workers to 0"
            )
        if self.search.scheduler == "asha" and rungs.first % train.checkpoint.every:
            raise ConfigError(
                f"{self.source}: rungs.first {rungs.first} is not a multiple of train.checkpoint.every "
                f"{train.checkpoint.every}: a rung is measured from a checkpoint"
            )

    def _drawable(self) -> Iterator[Values]:
        """Values that a trial could draw: the ends of each key beside one value of the others, and up to CORNERS
        combinations of ends: all of them, or some that are always the same."""
        space = self.search.space
        base = dict(settings.leaves(self.experiment.model_dump(mode="json")))
        usual = {key: domain.nearest(base.get(key)) for key, domain in space.items()}
        for key, domain in space.items():
            yield from ({**usual, key: end} for end in domain.ends)
        every, draws = [domain.ends for domain in space.values()], random.Random(0)
        few = math.prod(map(len, every)) <= CORNERS
        for corner in itertools.product(*every) if few else (map(draws.choice, every) for _ in range(CORNERS)):
            yield dict(zip(space, corner, strict=True))


def resolve(tree: Mapping[str, Any], values: Values, source: str) -> Config:
    """Return the settings in `tree` with `values` put in.

    Raises:
        ConfigError: one of them cannot be used; the sentence begins with `source`.
    """
    changed = settings.unshared(tree)
    for key, value in values.items():
        try:
            settings.put(changed, key, value)
        except ConfigError as error:
            raise ConfigError(f"{source}: {key}: {error}") from error
    return settings.parse(changed, source)


def spoken(values: Values) -> str:
    """Return what a trial drew, for people."""
    return ", ".join(f"{short(key)} {shown(value)}" for key, value in values.items())


def short(key: str) -> str:
    """Return a searched key without what all of them begin with."""
    return key.removeprefix("train.")


def shown(value: Any) -> str:  # noqa: ANN401 - whatever YAML can hold
    """Return a value with three digits where it has more."""
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def load(path: Path, overrides: Sequence[str] = ()) -> Study:
    """Read the search at `path` with `key.path=value` overrides, and the experiment that it names.

    Raises:
        ConfigError: a key or a value that could be drawn cannot be used.
    """
    search = settings.check_file(Search, path, overrides)
    base = path.parent / search.base
    settings.load(base)
    study = Study(search, settings.read(base), str(path))
    study.check()
    return study
