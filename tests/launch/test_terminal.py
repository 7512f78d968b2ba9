"""What a watcher sees: one line that lives on a terminal, and a line now and then where the output is a file."""

from __future__ import annotations

import io

import pytest
from rich.console import Console
from rich.progress import Progress

from hrm_ray.launch.terminal import Terminal, duration
from hrm_ray.train.step import StepResult


def step(bad: int = 0, spikes: int = 0) -> StepResult:
    losses = {"plan": 1.5, "code": 2.25, "refinement": None}
    return StepResult(losses, {}, loss=1.0, gradient_norm=1.0, tokens=10, updated=True, bad_steps=bad, spikes=spikes)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time, to be set."""
    now = [1000.0]
    monkeypatch.setattr("hrm_ray.launch.terminal.time.monotonic", lambda: now[0])
    return now


def test_a_file_gets_a_line_now_and_then(clock: list[float]) -> None:
    output = io.StringIO()
    with Progress(console=Console(file=output, width=200), transient=True) as progress:
        watcher = Terminal(progress, "main")
        for number in range(101, 121):
            clock[0] += 10
            watcher.advance(number, 120, step(bad=int(number > 103), spikes=int(number > 104)), 1234.5)
    news = "main: plan 1.500 code 2.250, 1,234 tokens/s"
    said = [line.rstrip() for line in output.getvalue().splitlines() if line.strip()]
    assert said[0] == f"step 103 of 120, {news}, 3 min left"
    assert said[1] == f"step 106 of 120, {news}, 1 bad, 1 spiked, 2 min left"
    assert len(said) == 7
    assert said[-1] == f"step 120 of 120, {news}, 1 bad, 1 spiked"


def test_a_terminal_gets_one_line_with_the_time_left() -> None:
    output = io.StringIO()
    with Progress(console=Console(file=output, width=80, force_terminal=True), transient=True) as progress:
        watcher = Terminal(progress, "main")
        watcher.advance(7, 10, step(), 1000.0)
        [task] = progress.tasks
        assert (task.completed, task.total, task.speed) == (7, 10, None), "steps of an earlier command are no speed"
        watcher.advance(8, 10, step(), 1000.0)
        watcher.advance(9, 10, step(spikes=1), 1000.0)
        assert task.description == "main: plan 1.500 code 2.250, 1,000 tokens/s, 1 spiked"
        assert task.time_remaining is not None
        with progress.console.capture() as captured:
            progress.console.print(progress.get_renderable())
    assert captured.get().count("\n") == 1, "wider than the terminal"
    assert "step " not in output.getvalue()


def test_durations_read_well() -> None:
    assert [duration(seconds) for seconds in (20, 3540, 3600, 8790)] == ["20 s", "59 min", "1 h 00 min", "2 h 26 min"]
