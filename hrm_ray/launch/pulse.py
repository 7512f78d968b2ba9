"""Ranks that are late: each says now and then where its work is, and the driver names those that do nothing.

A rank that waits for another one in a collective call does nothing either. So all of them are named with their places,
unless a rank is not heard of at all: then it is the one that the others wait for.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType

BEAT_SECONDS = 1.0
"""Between two beats of a rank."""

IDLE_SECONDS = 1e-3
"""Most processor time that a thread which waits takes between two beats."""


@dataclass(frozen=True)
class Beat:
    """What a rank says of itself: the processor time of its work so far in seconds, and the line that it is at."""

    rank: int
    seconds: float
    place: str


@contextmanager
def beating(rank: int, tell: Callable[[Beat], object]) -> Iterator[None]:
    """Call `tell` with a beat of this thread every `BEAT_SECONDS`, from another thread, while the block runs."""
    worker, done = threading.get_ident(), threading.Event()
    clock = time.pthread_getcpuclockid(worker)

    def beat() -> None:
        while not done.wait(BEAT_SECONDS):
            tell(Beat(rank, time.clock_gettime(clock), place(sys._current_frames()[worker])))

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def place(frame: FrameType) -> str:
    """Return the innermost line of this package that leads to `frame`."""
    package, outer = f"{__package__.partition('.')[0]}.", frame
    while not outer.f_globals.get("__name__", "").startswith(package) and outer.f_back is not None:
        outer = outer.f_back
    return f"{outer.f_globals.get('__name__')}.{outer.f_code.co_name}, line {outer.f_lineno}"


@dataclass
class Watch:
    """Hears the beats of all ranks, and says once of each stand which ranks have done nothing for `seconds`."""

    seconds: float
    beats: dict[int, Beat] = field(default_factory=dict)
    heard: dict[int, float] = field(default_factory=dict)
    """When each rank was heard of last; as `moved`, by `time.time` here."""
    moved: dict[int, float] = field(default_factory=dict)
    """When each rank was heard of last with something done."""
    named: tuple[int, ...] = ()
    """The ranks of the last sentence, while they are late."""

    def hear(self, beat: Beat) -> None:
        """Take a beat."""
        now, before = time.time(), self.beats.get(beat.rank)
        if before is None or beat.seconds - before.seconds > IDLE_SECONDS:
            self.moved[beat.rank] = now
        self.beats[beat.rank], self.heard[beat.rank] = beat, now

    def forget(self, rank: int) -> None:
        """Expect no more of a rank whose work is done."""
        for known in (self.beats, self.heard, self.moved):
            known.pop(rank, None)

    def late(self) -> str:
        """Return a sentence if other ranks are late than at the last call, else an empty text."""
        still = [rank for rank, since in self.moved.items() if time.time() - since > self.seconds]
        silent = self.silent() if still else []
        before, self.named = self.named, tuple(sorted(silent or still))
        if not self.named or self.named == before:
            return ""
        if silent:
            ranks = "; ".join(f"rank {rank} is late: silent since {clock(self.heard[rank])}" for rank in silent)
            return f"{ranks}; the others wait"
        idle = (f"rank {rank} since {clock(self.moved[rank])} at {self.beats[rank].place}" for rank in still)
        return f"late: {'; '.join(idle)}"

    def silent(self) -> list[int]:
        """Return the ranks that are not heard of."""
        allowed = max(3 * BEAT_SECONDS, self.seconds / 2)
        return sorted(rank for rank, heard in self.heard.items() if time.time() - heard > allowed)


def clock(seconds: float) -> str:
    """Return a time of `time.time` as the hours, minutes and seconds of this place."""
    return time.strftime("%H:%M:%S", time.localtime(seconds))
