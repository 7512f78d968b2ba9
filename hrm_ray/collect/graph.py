"""The graph of commits by position, children before parents: what was merged where, and what a branch brought."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from heapq import heappop, heappush
from typing import NamedTuple

from hrm_ray.collect.forges import MADE_UP

Parents = Sequence[tuple[int, ...]]

BRANCH, TRUNK, MAIN = 1, 2, 3
"""How a commit is reached: on a pull request's own branch, on one that others were merged into, from the newest."""

_TRUNK = re.compile(  # not `main` or `master`: they are the only branch of many a fork
    r"(?:dev|devel|develop(?:ment|er)?|next|staging|integration|qa|uat|prod|production|canary|nightly"
    r"|(?:develop|release|releases|rel|rc|support|sprint|milestone)[-/_.].+|release|rc|hotfix(?:es)?(?:[-/_]v?\d.*)?"
    r"|v?\d+(?:\.(?:\d+|x))+(?:[-_.].*)?)",
    re.IGNORECASE,
)


class Named(NamedTuple):
    """What is remembered of a pull request that a commit's message announces."""

    series: str
    number: int
    form: str
    sure: bool
    """False where an ordinary commit may look the same."""
    trunk: bool
    """The branch has the name of one that pull requests are merged into."""
    by_github: bool
    """GitHub itself made the commit."""


def is_trunk(branch: str) -> bool:
    """Whether a branch is called like one that pull requests are merged into: `develop`, `release/1.2`."""
    return _TRUNK.fullmatch(branch) is not None


def walk(parents: Parents, named: Mapping[int, Sequence[Named]]) -> tuple[bytearray, set[int]]:
    """How each commit is reached from the newest, and which of the announcements hold.

    On a pull request's own branch a number at a title's end mostly names an issue: there a message must be one that
    only a forge writes, or every commit of the branch must have a number of its own.
    """
    reached = bytearray(len(parents))
    reached[:1] = bytes([MAIN])
    found: set[int] = set()
    lines = _Lines()
    for at, above in enumerate(parents):
        level, names = reached[at], named.get(at, ())
        lines.add(at, above, names, level)
        own = len(above)
        if names and (level > BRANCH or any(name.sure for name in names)):
            found.add(at)
            own = 1
        for parent in above[:own]:
            reached[parent] = max(reached[parent], level)
        entered = TRUNK if any(name.trunk for name in names) else BRANCH
        for parent in above[own:]:
            reached[parent] = max(reached[parent], entered)
            lines.begin(at, parent)
    return reached, found.union(*lines.numbered())


class _Lines:
    """The first parents of the branches that were merged as pull requests, each from its end to where it leaves it."""

    def __init__(self) -> None:
        self._next: dict[int, tuple[int, int]] = {}
        """The merge and the end of the branch that a commit to come is of."""
        self._named: dict[tuple[int, int], dict[int, set[tuple[str, int]]]] = {}
        """Branches of which every commit so far has a number, and which."""

    def begin(self, merge: int, end: int) -> None:
        if self._next.setdefault(end, (merge, end)) == (merge, end):
            self._named[merge, end] = {}

    def add(self, at: int, above: Sequence[int], names: Sequence[Named], level: int) -> None:
        """Note a commit, if it is of a branch."""
        line = self._next.pop(at, None)
        if line is None or level > BRANCH:
            return
        if names and names[0].number < MADE_UP and line in self._named:
            self._named[line][at] = {name[:2] for name in names}
        elif len(above) < 2:
            self._named.pop(line, None)
        if above:
            self._next.setdefault(above[0], line)

    def numbered(self) -> Iterator[Iterable[int]]:
        """The commits of each branch on which all have numbers, no two the same."""
        for line in self._named.values():
            if len(line) > 1 and len(set().union(*line.values())) >= len(line):
                yield line


def fork(parents: Parents, one: int, other: int) -> tuple[int | None, list[int]]:
    """The newest common ancestor, and the commits that only `other` has, the newest first.

    The ancestor is None where the clone holds none (unrelated or shallow). A parent's position is greater than
    its child's, so the first position reached from both is the answer.
    """
    sides = {one: 1}
    sides[other] = sides.get(other, 0) | 2
    queue = sorted(sides)
    base: int | None = None
    alone: list[int] = []
    # A branch that took the mainline in again has commits of its own below the common ancestor too.
    while queue and (base is None or 2 in sides.values()):
        at = heappop(queue)
        side = sides.pop(at)
        if side == 3 and base is None:
            base = at
        if side == 2:
            alone.append(at)
        for parent in parents[at]:
            if parent not in sides:
                heappush(queue, parent)
            sides[parent] = sides.get(parent, 0) | side
    return base, alone


def brought(
    parents: Parents, tip: int, alone: Sequence[int], of_others: Callable[[int], bool]
) -> tuple[list[int], list[int]]:
    """The commits that a branch which ends at `tip` made, and those by which others came into it, the newest first.

    `alone` are the commits that only the branch has; `of_others` says which of them merged a pull request, or were
    somewhere else before.
    """
    inside = set(alone)
    own, carried = [], []
    todo = [tip]
    while todo:
        at = todo.pop()
        if at not in inside:
            continue
        inside.remove(at)
        if of_others(at):
            carried.append(at)
            todo += parents[at][:1]
        else:
            if len(parents[at]) < 2:
                own.append(at)
            todo += parents[at]
    return sorted(own), sorted(carried)
