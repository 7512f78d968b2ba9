"""Progress on the terminal: bars while something runs, plain lines where the output is a file."""

from __future__ import annotations

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn

console = Console(highlight=False, markup=False, emoji=False, soft_wrap=True)

SECONDS = 600
"""What the time left is estimated from; rich's half a minute holds no two steps of a large model."""


def bars() -> Progress:
    """Return bars with the share done and the time left; they vanish when done."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    return Progress(*columns, console=console, transient=True, speed_estimate_period=SECONDS)
