"""How a run goes, for who watches: a live line on a terminal, a plain line now and then where the output is a file."""

from __future__ import annotations

import time
from collections.abc import Iterator

from rich.progress import Progress

from hrm_ray.train.step import StepResult

SECONDS = 30.0
"""Between two plain lines."""


class Terminal:
    """Shows a run's losses, its speed, the time left, and how many steps were bad or spiked so far."""

    def __init__(self, progress: Progress, role: str) -> None:
        self.progress, self.role = progress, role
        self.bar = progress.add_task(f"{role}: starting", total=None)
        self.first: tuple[float, int] | None = None
        self.told = time.monotonic()

    def say(self, sentence: str) -> None:
        """Print one sentence above the bar."""
        self.progress.console.print(sentence)

    def advance(self, step: int, horizon: int, result: StepResult, tokens_per_second: float) -> None:
        """Move the bar, or print a line where there is none."""
        news = f"{self.role}: {', '.join(self._news(result, tokens_per_second))}"
        if self.first is None:  # a resumed run begins where it stopped: what was made before says nothing of its speed
            self.first = time.monotonic(), step
            self.progress.reset(self.bar, total=horizon, completed=step, description=news)
        self.progress.update(self.bar, completed=step, description=news)
        if not self.progress.console.is_terminal and (self._is_due() or step == horizon):
            self.say(f"step {step} of {horizon}, {news}{self._left(step, horizon)}")

    def _news(self, result: StepResult, tokens_per_second: float) -> Iterator[str]:
        yield " ".join(f"{name} {value:.3f}" for name, value in result.losses.items() if value is not None)
        yield f"{tokens_per_second:,.0f} tokens/s"
        if result.bad_steps:
            yield f"{result.bad_steps} bad"
        if result.spikes:
            yield f"{result.spikes} spiked"

    def _is_due(self) -> bool:
        now = time.monotonic()
        due = now - self.told >= SECONDS
        self.told = now if due else self.told
        return due

    def _left(self, step: int, horizon: int) -> str:
        """Say how long it will take at the pace so far, once a pace is known."""
        began, first = self.first or (0.0, step)
        if first == step or step == horizon:
            return ""
        seconds = (time.monotonic() - began) / (step - first) * (horizon - step)
        return f", {duration(seconds)} left"


def duration(seconds: float) -> str:
    """Return a time for people."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60:02d} min" if minutes >= 60 else f"{minutes} min"
