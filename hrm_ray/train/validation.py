"""What a run measures on the validation fold while it trains: losses, decisions, reading and writing."""

from __future__ import annotations

import torch

from hrm_ray.config import Config
from hrm_ray.model.batch import Part
from hrm_ray.train.corpus import JudgeDocuments, SolveDocuments
from hrm_ray.train.engine import Engine
from hrm_ray.train.reading import Reading
from hrm_ray.train.validate import balanced_log_loss, judge_log_probabilities, solve_losses
from hrm_ray.train.writing import Writing

JUDGE_WEIGHT = 0.1
"""Share of the balanced log-loss (nats) in the objective: as large as a tenth of a bit per byte of code."""


class Validation:
    """The fixed part of the validation fold that is looked at during training."""

    def __init__(self, config: Config) -> None:
        count = config.train.validation.examples
        solve, judge = SolveDocuments(config.data, "validation"), JudgeDocuments(config.data, "validation")
        # The shards are sorted by id, a hash, so the first ones are a fair draw.
        self.solve = [solve.document(index) for index in range(min(count, len(solve)))]
        self.judge = [judge.document(index, hidden=True) for index in range(min(count, len(judge)))]
        self.writing = Writing(config, solve)
        self.reading = Reading(config, solve)
        self.tokens = config.train.micro_rows * config.prepare.window

    def described(self) -> str:
        """Say what it holds at a time."""
        return f"validation of documents of {self.tokens:,} tokens at a time"

    def measure(self, engine: Engine) -> dict[str, float | None]:
        """Return a validation line of `metrics.jsonl`, of the averaged weights where the run keeps an average;
        `objective` is blind to the loss weights."""
        with engine.averaged():
            return self.measure_last(engine)

    def measure_last(self, engine: Engine) -> dict[str, float | None]:
        """Return the same of the weights as the last update left them."""
        solved = solve_losses(engine, self.solve, self.tokens)
        judged = judge_log_probabilities(engine, self.judge, self.tokens)
        labels = torch.tensor([document.decision for document in self.judge], dtype=torch.int64)
        log_loss = balanced_log_loss(judged, labels)
        bits = solved.total_bits_per_code_byte()
        return {
            "plan_loss": solved.loss(Part.PLAN),
            "code_loss": solved.loss(Part.CODE),
            "plan_bits_per_byte": solved.bits_per_byte(Part.PLAN),
            "code_bits_per_byte": solved.bits_per_byte(Part.CODE),
            "refinement_loss": log_loss,
            "decision_accuracy": float((judged.argmax(-1) == labels).float().mean()) if len(labels) else None,
            "objective": None if bits is None else bits + JUDGE_WEIGHT * (log_loss or 0.0),
            **self.reading.measure(engine),
            **self.writing.measure(engine),
        }
