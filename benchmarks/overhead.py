"""What Ray Train and DeepSpeed cost: start-up and where it goes, and seconds for each step against the plain loop.

    python benchmarks/overhead.py CONFIG [--size small] [--steps 12] [--workers 2] [--set key.path=value]

Trains CONFIG (prepared before) with `workers: 0`, 1 and N side by side, each as the command would, with one thread a
process. They start one after the other, each when those before it have made their first step and wait; then they take
turns, a step each, so that whatever else the machine does hits all alike: the ratios are medians over these rounds of
step against step. A step of the plain loop is one process's; N workers share it out. The first turn is left out.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

PHASES = ("Ray", "imports", "workers", "their imports", "engine", "first step")
"""Of a start: settings and Ray; the command's imports, while Ray's processes come up; controller, workers and process
group, with most of what a worker imports; the rest of that; DeepSpeed, model and data; restoring, metrics, one step."""

POLL = 0.005
"""Seconds between two looks at whose turn it is."""


@dataclass
class Turns:
    """One run's side of a folder of small files: `go` is the step that it may make, `log` what it did and when."""

    folder: Path
    resumed = 0.0

    def note(self, what: str, seconds: float) -> None:
        """Write one line."""
        with (self.folder / "log").open("a") as log:
            log.write(json.dumps([what, seconds]) + "\n")

    def notes(self) -> list[tuple[str, float]]:
        """Read what was written so far."""
        path = self.folder / "log"
        return [tuple(json.loads(line)) for line in path.read_text().splitlines()] if path.exists() else []

    def let(self, step: int) -> None:
        """Allow a step."""
        building = self.folder / "building"
        building.write_text(str(step))
        building.replace(self.folder / "go")

    def wait(self, step: int, rank: int) -> None:
        """Say that `step` is made, and wait for leave to make the next."""
        now = time.time()
        if rank == 0:
            self.note("first step" if step == 1 else "step", now if step == 1 else now - self.resumed)
        while int((self.folder / "go").read_text()) <= step:
            time.sleep(POLL)
        self.resumed = time.time()


def main() -> None:
    """Print the two tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config", type=Path)
    parser.add_argument("--size", help="tiny, small (25M parameters), base, ...; else what CONFIG says")
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--set", action="append", default=[], dest="overrides")
    given = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    counts = (0, 1, given.workers)
    with tempfile.TemporaryDirectory() as folder:
        runs = {count: Turns(Path(folder) / str(count)) for count in counts}
        processes: list[subprocess.Popen[bytes]] = []
        try:
            starts = {count: start(given, count, turns, processes) for count, turns in runs.items()}
            for step in range(2, given.steps + 1):
                for turns in runs.values():
                    turns.let(step)
                    await_steps(turns, step, processes)
            steps = {count: [s for what, s in turns.notes() if what == "step"] for count, turns in runs.items()}
        finally:
            for turns, process in zip(runs.values(), processes, strict=False):
                turns.let(given.steps + 2)  # to its end
                process.wait()
        print_starts(starts)
        print_steps(steps)


def start(
    given: argparse.Namespace, workers: int, turns: Turns, processes: list[subprocess.Popen[bytes]]
) -> dict[str, float]:
    """Start a run and wait for its first step; return the seconds that each phase took."""
    turns.folder.mkdir()
    turns.let(1)
    sets = [f"runs={turns.folder}", f"train.workers={workers}", f"train.max_steps={given.steps + 1}", "baselines=[]"]
    sets += [f"train.checkpoint.every={given.steps + 1}", f"train.validation.every={given.steps + 1}"]
    sets += ["train.validation.examples=1"]
    sets += ["model={size: " + given.size + "}"] if given.size else []
    arguments = ["train", str(given.config), *(part for one in (*sets, *given.overrides) for part in ("--set", one))]
    began = time.time()
    command = [sys.executable, __file__, "--as-run", str(turns.folder), *arguments]
    processes.append(subprocess.Popen(command, stdout=subprocess.DEVNULL))
    await_steps(turns, 1, processes)
    times = {what: seconds for what, seconds in turns.notes() if what in PHASES}
    ends = [times[phase] for phase in PHASES if phase in times]
    return dict(zip(times, [b - a for a, b in zip([began, *ends], ends, strict=False)], strict=True))


def await_steps(turns: Turns, step: int, processes: list[subprocess.Popen[bytes]]) -> None:
    """Wait until a run has made so many steps."""
    while sum(what in ("first step", "step") for what, _ in turns.notes()) < step:
        if any(process.poll() is not None for process in processes):
            sys.exit("a run ended before its time")
        time.sleep(POLL)


def print_starts(starts: Mapping[int, Mapping[str, float]]) -> None:
    """Print seconds by phase."""
    print("workers  command to first step  " + "  ".join(PHASES))
    for count, phases in starts.items():
        cells = "  ".join(f"{phases.get(phase, 0.0):{len(phase)}.1f}" for phase in PHASES)
        print(f"{count:7d}  {sum(phases.values()):19.1f} s  {cells}")


def print_steps(seconds: Mapping[int, list[float]]) -> None:
    """Print seconds a step, and the median of the ratios within a round."""
    print("workers  s/step  of plain")
    for count, steps in seconds.items():
        ratio = statistics.median(a / b for a, b in zip(steps[1:], seconds[0][1:], strict=True))
        print(f"{count:7d}  {statistics.median(steps[1:]):6.3f}  {ratio:7.3f}x")


def as_run(turns: Turns, arguments: list[str]) -> None:
    """Be the command `hrm-ray ARGUMENTS`, noting when what is done, and making a step only when it is our turn."""
    from hrm_ray import cli
    from hrm_ray.launch import session

    ray_for = session.ray_for

    @contextmanager
    def ray_noted(config: Any) -> Iterator[None]:  # noqa: ANN401
        session.ray_for = ray_for  # for `command`, which enters it again
        with ray_for(config):
            turns.note("Ray", time.time())
            take_turns(turns, plain=config.train.workers == 0)
            turns.note("imports", time.time())
            yield

    session.ray_for = ray_noted
    sys.argv = ["hrm-ray", *arguments]
    cli.main()


def take_turns(turns: Turns, plain: bool) -> None:
    """Import what the command would import next, and make it, or its workers, wait for their turn."""
    from hrm_ray.launch import command, train

    train.work = partial(work, turns)  # type: ignore[assignment]
    advance = command.Terminal.advance

    def advance_in_turn(terminal: Any, step: int, *values: Any) -> None:  # noqa: ANN401
        advance(terminal, step, *values)
        turns.wait(step, rank=0)

    if plain:
        command.Terminal.advance = advance_in_turn  # type: ignore[method-assign]


def work(turns: Turns, given: Mapping[str, Any]) -> None:
    """What each worker runs; this travels to it by value."""
    turns.note("workers", time.time())
    from hrm_ray.launch import train

    turns.note("their imports", time.time())
    run, advance = train.loop.run, train.Reporter.advance

    def run_noted(*values: Any) -> None:  # noqa: ANN401
        turns.note("engine", time.time())
        run(*values)

    def advance_in_turn(reporter: Any, step: int, *values: Any) -> None:  # noqa: ANN401
        advance(reporter, step, *values)
        turns.wait(step, reporter.rank)

    train.loop.run, train.Reporter.advance = run_noted, advance_in_turn  # type: ignore[method-assign]
    train.work(given)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--as-run"]:
        as_run(Turns(Path(sys.argv[2])), sys.argv[3:])
    else:
        main()
