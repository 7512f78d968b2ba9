"""Candidates taken up the ladder in bulk, by Ray actors that each have a helper of their own."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterable
from itertools import cycle, islice
from typing import Any

import ray
from ray.exceptions import RayActorError

from hrm_ray.golang.ladder import Candidate, Level, Outcome, Verdict, climb
from hrm_ray.golang.supervisor import helper
from hrm_ray.golang.toolchain import toolchain

BATCH = 64
"""Candidates that travel to an actor, and back as verdicts, at a time."""

AHEAD = 2
"""Batches that an actor has been given and not answered, so that it never waits for one."""

RETRIES = 2
"""How often a batch is done again whose actor died of it, or beside it."""

RESTARTS = 10
"""How often an actor is replaced: one that cannot start would be for ever."""


class Judge:
    """An actor: one process, one helper."""

    def __init__(self, level: Level) -> None:
        """Start without the helper where there is no toolchain."""
        go = toolchain()
        self._helper = helper(go) if go else None
        self._level = level

    def climb(self, candidates: list[Candidate]) -> list[Verdict]:
        """Return a verdict for each."""
        return [climb(one, self._helper, self._level) for one in candidates]


def climb_all(
    candidates: Iterable[Candidate], workers: int, level: Level = Level.TYPES
) -> Generator[Verdict, None, None]:
    """Yield what `climb` says of each, in order, from `workers` actors of one CPU on the Ray that is there.

    No more than it has CPUs, as the others would never start; nothing comes while others hold all of them.
    An actor that is killed is replaced and its batches are done again; candidates whose actor stays dead are unknown.
    """
    kind = ray.remote(num_cpus=1, max_restarts=RESTARTS, max_task_retries=RETRIES)(Judge)
    actors = [kind.remote(level) for _ in range(max(1, min(workers, int(ray.cluster_resources().get("CPU", 1)))))]
    given: deque[tuple[list[Candidate], Any]] = deque()
    left = iter(candidates)
    try:
        for actor in cycle(actors):
            if batch := list(islice(left, BATCH)):
                given.append((batch, actor.climb.remote(batch)))
            if not given:
                return
            if not batch or len(given) == AHEAD * len(actors):
                yield from verdicts(*given.popleft())
    finally:
        for actor in actors:
            ray.kill(actor)


def verdicts(batch: list[Candidate], answer: Any) -> list[Verdict]:  # noqa: ANN401 - a reference of Ray's
    """Wait for what an actor says of a batch."""
    try:
        return list(ray.get(answer))
    except RayActorError:
        return [Verdict(Level.PARSE, Outcome.UNKNOWN, "its actor died")] * len(batch)
