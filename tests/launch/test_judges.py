"""Real actors, and what becomes of their batches when they are killed."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from itertools import cycle

import psutil
import pytest
import ray

from hrm_ray.evaluate import typed
from hrm_ray.golang.ladder import Candidate, Level, Outcome
from hrm_ray.launch.judges import BATCH, Judge, climb_all, verdicts

CODES = [
    "func f() int { return 1 }",
    "func f() int { return x }",
    'func f() int { return "" }',
    "func f() {",
    "type T int",
]
CANDIDATES = [Candidate(f"{code}\n// {number}\n") for number in range(3 * BATCH) for code in CODES]


def judges(wanted: int) -> list[int]:
    """Return the processes of the actors that this process's Ray runs, once they are `wanted`: ends take a moment."""
    until = time.monotonic() + 30
    while len(found := running_judges()) != wanted and time.monotonic() < until:
        time.sleep(0.1)
    return found


def running_judges() -> list[int]:
    found = []
    for process in psutil.Process().children(recursive=True):
        try:
            if process.cmdline()[0].startswith("ray::Judge"):
                found.append(process.pid)
        except (psutil.Error, IndexError):
            continue
    return found


def test_verdicts_come_in_order_and_the_actors_go(ray_session: None) -> None:
    expected = list(typed.here(CANDIDATES[: len(CODES)]))
    found = list(climb_all(CANDIDATES, workers=2))
    assert len(found) == len(CANDIDATES)
    assert found == expected * (3 * BATCH)
    assert list(climb_all([], workers=1)) == []


@pytest.mark.parametrize("workers", [0, 100])
def test_there_are_as_many_actors_as_can_start(ray_session: None, workers: int) -> None:
    found = list(climb_all((one for one in CANDIDATES), workers))
    assert len(found) == len(CANDIDATES)


def broken() -> Iterator[Candidate]:
    yield from CANDIDATES[: 2 * BATCH]
    raise EOFError


def test_actors_go_with_who_stops_listening_and_with_what_is_wrong_with_the_input(ray_session: None) -> None:
    listening = climb_all(cycle(CANDIDATES), workers=2)  # endless: it is read as it is needed
    next(listening)
    assert len(judges(2)) == 2
    listening.close()
    with pytest.raises(EOFError):
        list(climb_all(broken(), workers=2))
    assert judges(0) == []


@pytest.mark.fault
def test_a_killed_actor_is_replaced_and_its_batch_done_again(ray_session: None) -> None:
    running = climb_all(CANDIDATES, workers=2)
    found = [next(running)]
    killed = judges(2)
    assert len(killed) == 2
    for pid in killed:
        os.kill(pid, signal.SIGKILL)
    found += running
    assert len(found) == len(CANDIDATES)
    assert found[len(CODES) :] == found[: -len(CODES)]
    assert {one.message for one in found if one.outcome == Outcome.UNKNOWN} <= {
        "depends on what is not in the file",
        "no Go toolchain",
    }


@pytest.mark.fault
def test_what_an_actor_that_stays_dead_was_given_is_unknown(ray_session: None) -> None:
    actor = ray.remote(num_cpus=0)(Judge).remote(Level.PARSE)
    ray.kill(actor)
    found = verdicts(CANDIDATES[:2], actor.climb.remote(CANDIDATES[:2]))
    assert [(one.outcome, one.message) for one in found] == [(Outcome.UNKNOWN, "its actor died")] * 2
