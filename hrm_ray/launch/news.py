"""The way of the ranks' news to the terminal: progress from rank 0, and bad news from any, first and named."""

from __future__ import annotations

import json
import os
import socket
import threading
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Self

import ray
from ray.exceptions import RayActorError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from hrm_ray.errors import OtherRankError, UserError
from hrm_ray.launch.pulse import Beat, Watch, beating

if TYPE_CHECKING:  # the desk is a process of its own, which need not import torch
    from hrm_ray.train.loop import Watcher
    from hrm_ray.train.step import StepResult

SECONDS = 0.3
"""How often the terminal asks for news."""


@dataclass(frozen=True)
class Failure:
    """The end of one rank, in words: not every exception can travel."""

    rank: int
    where: str
    kind: str
    message: str
    trace: str
    is_users: bool
    """Whether the user can mend it."""
    is_consequence: bool
    """Whether the rank only lost another one: what gloo and NCCL say then."""

    @classmethod
    def of(cls, rank: int, error: BaseException) -> Self:
        """Describe `error`, which ends this very process's work as `rank`."""
        return cls(
            rank=rank,
            where=f"pid {os.getpid()} on {socket.gethostname()}",
            kind=type(error).__name__,
            message=str(error),
            trace="".join(traceback.format_exception(error)),
            is_users=isinstance(error, UserError),
            is_consequence=isinstance(error, OtherRankError)
            or (isinstance(error, RuntimeError) and any(name in str(error) for name in ("gloo", "NCCL"))),
        )

    @property
    def sentence(self) -> str:
        """One line for the user."""
        return f"rank {self.rank} ({self.where}) failed: {self.kind}: {self.message}"


class Desk:
    """The actor that ranks tell and the terminal asks; to it, news is bytes."""

    def __init__(self) -> None:
        self.news: list[bytes] = []

    def tell(self, news: bytes) -> None:
        """Keep one piece of news."""
        self.news.append(news)

    def take(self) -> list[bytes]:
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
            self._tell("say", sentence)

    def advance(self, step: int, horizon: int, result: StepResult, tokens_per_second: float) -> None:
        """Pass the news of one step on."""
        if self.rank == 0:
            self._tell("advance", step, horizon, asdict(result), tokens_per_second)

    def fail(self, error: BaseException) -> None:
        """Tell of this rank's end, and wait until that is known; a driver that is gone cannot be told."""
        with suppress(RayActorError):
            ray.get(self._tell("fail", asdict(Failure.of(self.rank, error))))

    @contextmanager
    def beating(self) -> Iterator[None]:
        """Let the driver know while the block runs that this rank does."""
        with beating(self.rank, lambda beat: self._tell("beat", asdict(beat))):
            yield
        self._tell("rest", self.rank)

    def _tell(self, kind: str, *values: object) -> ray.ObjectRef:
        return self.desk.tell.remote(json.dumps((kind, values)).encode())


@dataclass
class Listener:
    """The other side of the desk."""

    desk: Any
    watcher: Watcher
    watch: Watch
    failures: list[Failure] = field(default_factory=list)

    def read(self) -> None:
        """Show what has come, and which ranks are late."""
        for kind, values in map(json.loads, ray.get(self.desk.take.remote())):
            getattr(self, f"_{kind}")(*values)
        if sentence := self.watch.late():
            self.watcher.say(sentence)

    def _say(self, sentence: str) -> None:
        self.watcher.say(sentence)

    def _advance(self, step: int, horizon: int, result: Mapping[str, Any], tokens_per_second: float) -> None:
        from hrm_ray.train.step import StepResult  # with torch, which the desk's own process need not import

        self.watcher.advance(step, horizon, StepResult(**result), tokens_per_second)

    def _beat(self, beat: Mapping[str, Any]) -> None:
        self.watch.hear(Beat(**beat))

    def _rest(self, rank: int) -> None:
        self.watch.forget(rank)

    def _fail(self, given: Mapping[str, Any]) -> None:
        failure = Failure(**given)
        self.failures.append(failure)
        if not failure.is_consequence:  # a rank that only lost another one is not the news
            self.watcher.say(failure.sentence)


@contextmanager
def newsroom(watcher: Watcher, late_seconds: float) -> Iterator[Listener]:
    """Show the news of the ranks that are given `.desk` while the block runs, and those that are late."""
    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)  # lives as long as we do
    desk = ray.remote(num_cpus=0, scheduling_strategy=here)(Desk).remote()
    listener, done = Listener(desk, watcher, Watch(late_seconds)), threading.Event()

    def listen() -> None:
        while not done.wait(SECONDS):
            listener.read()

    thread = threading.Thread(target=listen, daemon=True)
    thread.start()
    try:
        yield listener
    finally:
        done.set()
        thread.join()
        with suppress(RayActorError):  # what stopped the run must not be hidden by it
            listener.read()
        ray.kill(desk)
