"""What a question is made of: checks that compare one measured number with one threshold, and three-valued logic.

A check without an answer is context: it is shown and decides nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from importlib import resources
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from ruamel.yaml import YAML

Answer = Literal["yes", "no", "not measured"]
Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=1)]


class Section(BaseModel):
    """Base of the thresholds: frozen, and unknown keys are errors. decision.yaml says why each is what it is."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Enough(Section):
    """How much must have been measured."""

    train_lines: Count
    validations: Count
    generations: Count
    judged: Count
    class_documents: Count


class Falling(Section):
    """Question 1."""

    windows: Annotated[int, Field(ge=2)]
    share: Share
    fall: Share


class Tracking(Section):
    """Question 2."""

    correlation: Share
    shared_fall: Share
    opening: Share
    rise: Share


class Writing(Section):
    """Question 3."""

    valid: Share
    improved: Share
    close: Share
    lead: Share
    bits: Share


class Judging(Section):
    """Question 4."""

    lead: Share


class Thresholds(Section):
    """The whole of decision.yaml."""

    enough: Enough
    falling: Falling
    tracking: Tracking
    writing: Writing
    judging: Judging


def thresholds() -> Thresholds:
    """Return the thresholds that ship with the package."""
    text = resources.files("hrm_ray.report").joinpath("decision.yaml").read_text("utf-8")
    return Thresholds.model_validate(YAML(typ="safe", pure=True).load(text))


@dataclass(frozen=True)
class Check:
    """One line of evidence: `measured` is `value` as people read it, `needed` the threshold."""

    subject: str
    what: str
    value: float | None
    measured: str
    needed: str = ""
    answer: Answer | None = None


@dataclass(frozen=True)
class Question:
    """One of the four questions, with its evidence; `note` says how to read it."""

    title: str
    note: str
    checks: tuple[Check, ...]

    @property
    def answer(self) -> Answer:
        """`no` where one check says no, else `not measured` where one could not be made, else `yes`."""
        return conjunction(check.answer for check in self.checks if check.answer is not None)


def judge(holds: bool | None) -> Answer:
    """Return the answer of a comparison; None could not be made."""
    return "not measured" if holds is None else "yes" if holds else "no"


def conjunction(answers: Iterable[Answer]) -> Answer:
    """Return Kleene's three-valued `and`; of nothing at all it is `not measured`."""
    found = set(answers)
    return "no" if "no" in found else "not measured" if "not measured" in found or not found else "yes"
