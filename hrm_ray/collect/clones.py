"""What `collect` does with clones: opens all, reads one after the other, and says what it took and left."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import TypeVar

from rich.progress import Progress

from hrm_ray.collect import functions, history, records
from hrm_ray.collect.collection import Tally
from hrm_ray.collect.commits import Commits
from hrm_ray.collect.forges import COUNTING
from hrm_ray.collect.functions import Function
from hrm_ray.collect.git import Clone, Objects, opened, shown
from hrm_ray.collect.licenses import is_allowed, license_of, refusal
from hrm_ray.collect.records import PullRequest
from hrm_ray.config import Config
from hrm_ray.errors import UserError

Thing = TypeVar("Thing")

FEW = 0.1
"""The share of commits that name a pull request below which it is said what the history looks like."""


def collect_history(config: Config, progress: Progress) -> None:
    """Write the newest pull requests, or commits, of each clone that pass the filters.

    Raises:
        UserError: a clone cannot be read, two have the same name, or nothing passes.
    """
    with _all_open(config, progress) as (clones, left_out):
        taken = _Taken(progress, left_out, f"no message names a pull request; those count: {COUNTING}")
        found = taken.tally.passed(_pull_requests(clones, config, taken))
        count = records.write(config.pull_requests, taken.checked(found))
    taken.tally.write(config)
    taken.report("pull requests")
    progress.console.print(f"{config.pull_requests}: {count:,} pull requests")


def collect_functions(config: Config, progress: Progress) -> None:
    """Write the documented functions of each clone's newest tree; errors as in `collect_history`."""
    with _all_open(config, progress) as (clones, left_out):
        taken = _Taken(progress, left_out, "there was nothing")
        count = functions.write(config.functions, taken.checked(_functions(clones, config, taken)))
    taken.report("Go files")
    progress.console.print(f"{config.functions}: {count:,} functions")
    if config.prepare.functions is None:
        progress.console.print(f"to train on them: --set prepare.functions={config.functions}")


@contextmanager
def _all_open(config: Config, progress: Progress) -> Iterator[tuple[Sequence[Clone], Counter[str]]]:
    """Open every clone before the first is read: a wrong one is then named at once, and not after hours of work.

    With them come the counts, by reason, of those that are left out.
    """
    clones: dict[str, Clone] = {}
    with ExitStack() as stack:
        for place in config.collect.clones:
            progress.console.print(f"opening {shown(place)}")
            clone = stack.enter_context(opened(place, config.data / "clones"))
            if (other := clones.setdefault(clone.name, clone)) is not clone:
                both = f"{other.place} and {clone.place}"
                raise UserError(f"collect.clones: {both} are both called {clone.name}; leave one out")
        yield _allowed(clones.values(), config, progress)


def _allowed(clones: Iterable[Clone], config: Config, progress: Progress) -> tuple[Sequence[Clone], Counter[str]]:
    """Leave out the clones under a license that `clean.licenses` does not allow, and say so; UserError if all are."""
    allowed, others, left_out = [], [], Counter[str]()
    for clone in clones:
        with Objects(clone) as objects:
            found = license_of(clone, objects)
        if is_allowed(found, config.clean):
            allowed.append(clone)
        else:
            others.append(f"{clone.name}: {found}")
            left_out[refusal(found, "repository")] += 1
    named = ", ".join(others)
    if not allowed:
        hint = "if the code is your own, set clean.licenses: any"
        raise UserError(f"collect.clones: none has a license that clean.licenses allows ({named}); {hint}")
    if others:
        progress.console.print(f"left out, for clean.licenses does not allow it: {named}")
    return allowed, left_out


class _Taken:
    """The bars and the drops of all clones together."""

    def __init__(self, progress: Progress, left_out: Counter[str], nothing: str) -> None:
        self._nothing = nothing
        self.tally = Tally()
        self.drops = self.tally.drops
        self.drops.update(left_out)
        self._progress = progress
        self._start = time.perf_counter()

    def begin(self, clone: Clone, total: int, things: str) -> Callable[[], None]:
        """Announce a clone and return what to call for each of its `total` things."""
        self._progress.console.print(f"{clone.name}: {total:,} {things}")
        bar = self._progress.add_task(clone.name, total=total)
        self.tally.looked_at[clone.name] = 0

        def looked_at() -> None:
            self.tally.looked_at[clone.name] += 1
            self._progress.advance(bar)

        return looked_at

    def note(self, sentence: str) -> None:
        """Print a sentence."""
        self._progress.console.print(sentence)

    def checked(self, found: Iterator[Thing]) -> Iterator[Thing]:
        """Pass things on; UserError at the end where there was none."""
        none = True
        for each in found:
            none = False
            yield each
        if none:
            reasons = ", ".join(f"{reason}: {count}" for reason, count in self.drops.most_common())
            raise UserError(f"collect.clones: nothing in them passed the filters ({reasons or self._nothing})")

    def report(self, things: str) -> None:
        """Print the speed, and the drops by reason."""
        looked_at = self.tally.looked_at.total()
        rate = looked_at / (time.perf_counter() - self._start)
        self._progress.console.print(f"looked at {looked_at:,} {things}, {rate:,.0f} a second")
        for reason, count in self.drops.most_common():
            self._progress.console.print(f"  dropped {count:,}: {reason}")


def _pull_requests(clones: Iterable[Clone], config: Config, taken: _Taken) -> Iterator[PullRequest]:
    for clone in clones:
        commits = Commits(clone)
        if config.collect.source == "commits":
            merged = commits.each()
            looked_at = taken.begin(clone, len(commits.single), "commits")
        else:
            merged = commits.merged()
            looked_at = taken.begin(clone, len(commits), f"pull requests in {commits.read:,} commits")
            if len(commits) < FEW * commits.read:
                taken.note(f"{clone.name}: {commits.look}")
        yield from history.pull_requests(
            clone, commits, merged, config.collect.pull_requests, config.clean, taken.drops, looked_at
        )


def _functions(clones: Iterable[Clone], config: Config, taken: _Taken) -> Iterator[Function]:
    for clone in clones:
        files = functions.newest_files(clone)
        looked_at = taken.begin(clone, len(files), "Go files")
        yield from functions.functions(clone, files, taken.drops, looked_at, config.clean)
