"""The way of the ranks' news to the terminal: progress from rank 0, and bad news from any, first and named."""

from __future__ import annotations

import os
import socket
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Self

import ray

from hrm_ray.train.loop import Watcher
from hrm_ray.train.step import StepResult

SECONDS = 0.3
"""How often the terminal asks for news."""


@dataclass(frozen=True)
class Failure:
    """The end of one rank."""

    rank: int
    where: str
    error: BaseException
    trace: str

    @classmethod
    def of(cls, rank: int, error: BaseException) -> Self:
        """Describe `error`, which ends this very process's work as `rank`."""
        where = f"pid {os.getpid()} on {socket.gethostname()}"
        return cls(rank, where, error, "".join(traceback.format_exception(error)))

    @property
    def is_consequence(self) -> bool:
        """Whether the rank only lost another one: what gloo and NCCL say then."""
        return isinstance(self.error, RuntimeError) and any(name in str(self.error) for name in ("gloo", "NCCL"))

    @property
    def sentence(self) -> str:
        """One line for the user."""
        return f"rank {self.rank} ({self.where}) failed: {type(self.error).__name__}: {self.error}"


class Desk:
    """The actor that ranks tell and the terminal asks."""

    def __init__(self) -> None:
        self.news: list[tuple[str, tuple[Any, ...]]] = []

    def tell(self, kind: str, *values: Any) -> None:  # noqa: ANN401
        """Keep one piece of news."""
        self.news.append((kind, values))

    def take(self) -> list[tuple[str, tuple[Any, ...]]]:
        """Hand out what has come since the last time."""
        taken, self.news = self.news, []
        return taken


class Reporter:
    """A rank's watcher: rank 0 speaks for all of them."""

    def __init__(self, desk: Any, rank: int) -> None:  # noqa: ANN401 - an actor's handle
        self.desk, self.rank = desk, rank

    def say(self, sentence: str) -> None:
        """Pass one sentence on."""
        if self.rank == 0:
            self.desk.tell.remote("say", sentence)

    def advance(self, step: int, horizon: int, result: StepResult, tokens_per_second: float) -> None:
        """Pass the news of one step on."""
        if self.rank == 0:
            self.desk.tell.remote("advance", step, horizon, result, tokens_per_second)

    def fail(self, error: BaseException) -> None:
        """Tell of this rank's end, and wait until that is known."""
        ray.get(self.desk.tell.remote("fail", Failure.of(self.rank, error)))


@dataclass
class Terminal:
    """The other side of the desk."""

    desk: Any
    watcher: Watcher
    failures: list[Failure] = field(default_factory=list)

    def read(self) -> None:
        """Show what has come."""
        for kind, values in ray.get(self.desk.take.remote()):
            if kind == "fail":
                self._fail(*values)
            else:
                getattr(self.watcher, kind)(*values)

    def _fail(self, failure: Failure) -> None:
        self.failures.append(failure)
        if not failure.is_consequence:  # a rank that only lost another one is not the news
            self.watcher.say(failure.sentence)


@contextmanager
def newsroom(watcher: Watcher) -> Iterator[Terminal]:
    """Show the news of the ranks that are given `.desk` while the block runs."""
    desk = ray.remote(num_cpus=0)(Desk).remote()
    terminal, done = Terminal(desk, watcher), threading.Event()

    def listen() -> None:
        while not done.wait(SECONDS):
            terminal.read()

    listener = threading.Thread(target=listen, daemon=True)
    listener.start()
    try:
        yield terminal
    finally:
        done.set()
        listener.join()
        terminal.read()
        ray.kill(desk)
