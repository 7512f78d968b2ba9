"""Run folders made by hand: `Folder` holds the contents of the files, `write` lays them down.

The default run is one that earns a GO; a test spoils one thing and sees what changes.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from hrm_ray.report.checks import Thresholds
from hrm_ray.report.decide import Decision, decide
from hrm_ray.report.files import read

STEPS = 200
BEST = 180
Json = dict[str, Any]


def run_record(role: str = "main") -> Json:
    return {
        "name": "first-run",
        "role": role,
        "parameters": 984_320,
        "horizon": STEPS,
        "tokens_per_step": 16_384,
        "dataset": "data/first",
        "dataset_hash": "9f2ab4c1d7e08855",
        "versions": {"hrm-ray": "0.1.0", "torch": "2.13.0"},
        "machine": {"cpu": "2 cores", "memory_gib": 8},
    }


def falling(start: float, end: float, step: int) -> float:
    """Exponential decay with a small ripple that repeats every 7 steps."""
    return end + (start - end) * math.exp(-4 * step / STEPS) + 0.02 * math.sin(2 * math.pi * step / 7)


def train_line(step: int) -> Json:
    return {
        "event": "train",
        "step": step,
        "loss": falling(5.0, 2.4, step),
        "plan_loss": falling(5.5, 2.0, step),
        "code_loss": falling(6.0, 2.8, step),
        "refinement_loss": falling(1.1, 0.7, step),
        "plan_bits_per_byte": falling(2.5, 0.9, step),
        "code_bits_per_byte": falling(2.7, 1.2, step),
        "learning_rate": 2e-3 * min(step / 10, (STEPS - step + 10) / STEPS),
        "gradient_norm": 1 + 3 / step,
        "gradient_depth": 3 if step < 20 else 4 if step < 40 else 5,
        "mfu": None,
    }


def validation_line(step: int) -> Json:
    return {
        "event": "validation",
        "step": step,
        "plan_loss": falling(5.4, 2.2, step) + 0.1,
        "code_loss": falling(6.0, 3.1, step) + 0.1,
        "plan_bits_per_byte": falling(2.5, 1.0, step),
        "code_bits_per_byte": falling(2.7, 1.35, step),
        "refinement_loss": falling(1.1, 0.8, step),
        "unchanged_nats": falling(8.3, 0.9, step),
        "changed_nats": falling(8.3, 3.3, step),
        "reading_gain": 2.5 - falling(2.5, 0.0, step),
        "plan_name_nats": falling(8.3, 1.5, step),
        "first_line_nats": None,
        "first_line_uniform_nats": None,
        "copy_nats": falling(8.3, 0.1, step),
        "long_copy_nats": falling(8.3, 0.4, step),
        "uniform_nats": 8.277,
    }


def generated(count: int, improved: float = 0.31) -> Json:
    return {
        "count": count,
        "finished_share": 0.972,
        "valid_share": 0.814,
        "valid_interval": [0.741, 0.873],
        "improved_share": improved,
        "improved_interval": [improved - 0.06, improved + 0.06],
        "close_share": 0.0925,
        "close_interval": [0.0525, 0.1425],
        "exact_share": 0.045,
        "copy_share": 0.118,
        "valid_share_of_changed": 0.789,
        "edit_similarity": 0.737,
        "copy_edit_similarity": 0.792,
        "chrf": 0.6875,
        "plan_adherence": 0.667,
    }


def losses(bits: float) -> Json:
    return {
        "examples": 907,
        "code_bytes": 801_234,
        "plan_bits_per_byte": 1.071,
        "code_bits_per_byte": 1.013,
        "code_bits_per_byte_no_plan": 1.058,
        "plan_and_code_bits_per_code_byte": bits,
    }


HALF = 0.05
"""Of an interval."""


def decided(area: float = 0.71, likelihood: float = 0.58, accuracy: float = 0.62) -> Json:
    lead = area - max(likelihood, 1 - likelihood)
    return {
        "count": 300,
        "labels": ["CONTINUE", "REFINE", "DONE"],
        "confusion": [[81, 11, 8], [21, 54, 25], [14, 35, 51]],
        "balanced_accuracy": accuracy,
        "balanced_accuracy_interval": [accuracy - HALF, accuracy + HALF],
        "balanced_accuracy_of_a_guess": 0.333,
        "balanced_log_loss": 0.873,
        "done_auc_among_valid": area,
        "done_auc_interval": [area - HALF, area + HALF],
        "likelihood_auc_among_valid": likelihood,
        "rivals": {
            "likelihood": {
                "auc": 1 - likelihood,
                "lead": lead + 0.01,
                "lead_interval": [lead - HALF + 0.01, lead + HALF],
            },
            "length": {"auc": area - lead, "lead": lead, "lead_interval": [lead - HALF, lead + HALF]},
        },
        "strongest_rival": "length",
        "copies": 12,
        "done_auc_lead": lead,
        "done_auc_lead_interval": [lead - HALF, lead + HALF],
    }


def evaluation(bits: float = 1.234, improved: float = 0.31) -> Json:
    return {
        "checkpoint": {"step": BEST},
        "role": "main",
        "split": "test",
        "test_reads": 1,
        "synthetic": False,
        "parameters": 984_320,
        "repositories": ["acme/rockets", "acme/anvils"],
        "losses": {
            **losses(bits),
            "by": {"intent": {"added": losses(1.111), "modified": losses(1.357)}},
            "predicted_plan": {"examples": 240, "code_bits_per_byte": 1.0625, "code_bits_per_byte_no_plan": 1.0875}
            | {"code_bits_per_byte_predicted_plan": 1.0405},
        },
        "validation": losses(1.1875),
        "probes": {
            "states": [
                {"state": "z_L", "cycle": 2, "pass": 3, "plan_bits_per_byte": 6.25, "code_bits_per_byte": 3.125},
                {"state": "z_H", "cycle": 2, "pass": 1, "plan_bits_per_byte": 1.071, "code_bits_per_byte": 1.013},
            ],
            "without": {"coder": {"plan_bits_per_byte": 1.8125, "code_bits_per_byte": 1.4375}},
        },
        "ngram": {
            "order": 5,
            "losses": {"plan_bits_per_byte": 2.5625, "code_bits_per_byte": 1.9375}
            | {"plan_and_code_bits_per_code_byte": 2.6875},
            "generation": {part: generated(80, 0.0375) for part in ("all", "added", "modified")},
        },
        "unchecked": {part: generated(80, 0.125) for part in ("all", "added", "modified")},
        "random_edit": {part: generated(80, 0.0525) for part in ("all", "added", "modified")},
        "copying": {part: generated(80, 0.0) | {"valid_share": 0.9625} for part in ("all", "added", "modified")},
        "types": {
            "count": 240,
            "decided_share": 0.225,
            "clean_share": 0.375,
            "merged": {"decided_share": 0.125, "clean_share": 0.9875},
        },
        "tasks": {
            "count": 12,
            "attempts": 5,
            "temperature": 0.8,
            "left_out": {"own/leap": "its reference: failed"},
            "pass_at": {"1": {"mean": 0.0875, "interval": [0.0125, 0.1625]}, "5": {"mean": 0.2125, "interval": None}},
            "verdicts": {"passed": 7, "does not build": 53},
        },
        "generation": {
            "temperature": 0.0,
            "all": generated(240, improved),
            "added": generated(130, improved + 0.05),
            "modified": generated(110, improved - 0.05),
        },
        "decisions": {
            "constructed": {"hidden": decided(), "shown": decided(accuracy=0.81)},
            "generated": {"hidden": decided(0.66, 0.57, 0.55), "shown": decided(0.67, 0.57, 0.73)},
        },
        "seconds": {"losses": 10.5, "generation": 103.25, "decisions": 5.75},
    }


def sample(index: int, improved: bool) -> Json:
    valid = improved or index % 2 == 0
    before = "func (q *Queue) Pop() *Item {\n\tif len(q.items) == 0 {\n\t\treturn nil\n\t}\n"
    before += "\titem := q.items[0]\n\treturn item\n}"
    code = before.replace("return item\n", "q.items = q.items[1:]\n\treturn item\n")
    return {
        "id": f"{index:016x}",
        "repository": "acme/rockets",
        "number": 100 + index // 3,
        "path": "queue/queue.go",
        "change": "modified" if index % 3 else "added",
        "title": f"queue: remove the item that Pop returns ({index})",
        "body": "Pop left the item in place, so that the next call returned it again." if index % 2 else "",
        "before": before if index % 3 else "",
        "plan": "fix method Queue.Pop\nadd assignment",
        "predicted_plan": "fix method Queue.Pop",
        "code": code,
        "generated": code if improved else before if valid else before.replace("nil\n", "nil +\n"),
        "finished": True,
        "valid": valid,
        "diagnostic": None
        if valid
        else {"kind": "syntax error", "line": 4, "column": 2, "message": "this does not parse"},
        "improved": improved,
        "exact": improved,
        "edit_similarity": 0.93,
        "copy_edit_similarity": 0.88,
        "decision": "DONE" if improved else "REFINE",
        "log_likelihood": -0.41,
    }


def document_losses(bits: float) -> list[Json]:
    """Of 240 documents of 100 bytes of code, three to a pull request; some are harder than others."""
    nats = [100 * math.log(2) * bits * (1 + 0.3 * math.sin(index)) for index in range(240)]
    held = [{"id": f"{index:016x}", "repository": "acme/rockets", "number": 100 + index // 3} for index in range(240)]
    return [one | {"plan_nats": 0.25 * sum_, "code_nats": 0.75 * sum_} for one, sum_ in zip(held, nats, strict=True)]


class Folder:
    """What a run folder holds; a file whose content is None is not written."""

    def __init__(self, role: str = "main", bits: float = 1.234, improved_every: int = 3) -> None:
        self.run: Json = run_record(role)
        self.config = "name: first-run\nseed: 7\n"
        self.train: list[Json] = [train_line(step) for step in range(1, STEPS + 1)]
        self.validation: list[Json] = [validation_line(step) for step in range(20, STEPS + 1, 20)]
        self.evaluation: Json | None = evaluation(bits)
        self.samples: list[Json] | None = [sample(index, index % improved_every == 0) for index in range(240)]
        self.losses: list[Json] | None = document_losses(bits)
        self.best: Json | None = {"step": BEST, "objective": 1.9183}
        self.baselines: dict[str, Folder] = {}
        self.seeds: list[Folder] = []

    def write(self, path: Path) -> Path:
        """Lay the files down and return the folder."""
        (path / "checkpoints").mkdir(parents=True, exist_ok=True)
        (path / "run.json").write_text(json.dumps(self.run), "utf-8")
        (path / "config.yaml").write_text(self.config, "utf-8")
        lines = sorted([*self.train, *self.validation], key=lambda line: line["step"])
        (path / "metrics.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines), "utf-8")
        if self.evaluation is not None:
            (path / "evaluation.json").write_text(json.dumps(self.evaluation), "utf-8")
        if self.samples is not None:
            (path / "generations.jsonl").write_text("".join(f"{json.dumps(one)}\n" for one in self.samples), "utf-8")
        if self.losses is not None:
            (path / "losses.jsonl").write_text("".join(f"{json.dumps(one)}\n" for one in self.losses), "utf-8")
        if self.best is not None:
            (path / "checkpoints" / "best.json").write_text(json.dumps(self.best), "utf-8")
        for role, baseline in self.baselines.items():
            baseline.write(path / "baselines" / role)
        for number, repetition in enumerate(self.seeds, start=1):
            repetition.write(path / "seeds" / str(number))
        return path


def evaluated(folder: Folder) -> Any:
    """Return the contents of `evaluation.json`."""
    assert folder.evaluation is not None
    return folder.evaluation


def spoil(folder: Folder, *keys: str, value: object) -> None:
    """Replace one value of `evaluation.json`."""
    tree = evaluated(folder)
    for key in keys[:-1]:
        tree = tree[key]
    tree[keys[-1]] = value


@pytest.fixture(scope="session")
def _good() -> Folder:
    folder = Folder()
    for role in ("equal_parameters", "equal_flops"):
        folder.baselines[role] = Folder(role, bits=1.31, improved_every=12)
    return folder


@pytest.fixture
def folder(_good: Folder) -> Folder:
    """A run that earns a GO, with both baselines; a copy of its own for each test."""
    return deepcopy(_good)


@pytest.fixture
def verdict(tmp_path: Path) -> Callable[..., Decision]:
    """Return a function that writes a folder and decides on it."""

    def decide_on(folder: Folder, limits: Thresholds | None = None) -> Decision:
        return decide(read(folder.write(tmp_path)), limits)

    return decide_on
