"""The evaluation of a checkpoint, and a sentence of it that `generate` prints."""

from __future__ import annotations

import json
from typing import Any

from hrm_ray.evaluate.opened import Network
from hrm_ray.files import Record, read_record


class _Step(Record):
    step: int


class _Evaluation(Record):
    """The part of `evaluation.json` that names its checkpoint."""

    checkpoint: _Step


def measured(network: Network) -> dict[str, Any] | None:
    """Return the `evaluation.json` of this very checkpoint, if there is one."""
    path = network.run_dir / "evaluation.json"
    if not path.exists() or read_record(path, _Evaluation).checkpoint.step != network.step:
        return None
    found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return found


def in_words(network: Network) -> str:
    """Say what can be expected of what the network writes."""
    size = sum(parameter.numel() for parameter in network.engine.model.parameters())
    begun = f"{size:,} parameters after {network.step:,} steps"
    if (found := measured(network)) is None:
        return f"{begun}; nothing is measured of it yet: hrm-ray evaluate {network.run_dir}"
    written = found["generation"]["all"]
    shares = (
        f"{written[key]:.1%} {name}"
        for key, name in {
            "valid_share": "are valid Go",
            "improved_share": "come nearer to what people wrote than the code before",
            "finished_share": "end within the budget",
        }.items()
    )
    return f"{begun}: of {written['count']} {found['split']} changes that it wrote {', '.join(shares)}"
