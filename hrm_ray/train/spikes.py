"""Spikes of the gradient norm, by a rule that the lines of `metrics.jsonl` alone decide: so a resumed run goes on."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from statistics import median
from typing import Any

FACTOR = 4.0
"""A norm is a spike when it is above so many times the median of those before it."""

WINDOW, FEWEST = 50, 10
"""How many of the norms logged before it are looked at, and how many there must be."""


class Spikes:
    """Reads a run's metrics line by line."""

    def __init__(self) -> None:
        self.norms: deque[float] = deque(maxlen=WINDOW)
        self.count = 0

    def read(self, line: Mapping[str, Any]) -> None:
        """Take in one line, whatever its event."""
        if line["event"] == "train":
            self.norms.append(line["gradient_norm"])
        elif line["event"] == "spike":
            self.count += 1

    def has(self, norm: float) -> bool:
        """Say whether the norm of the next step is one."""
        return len(self.norms) >= FEWEST and norm > FACTOR * median(self.norms)
