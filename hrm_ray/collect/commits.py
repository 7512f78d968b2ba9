"""The graph of a clone's commits: which of them merged a pull request, and where its branch began."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from heapq import heappop, heappush

from hrm_ray.collect import messages
from hrm_ray.collect.git import Clone, Process


@dataclass(frozen=True)
class Merged:
    """A merged pull request: `commit` is the squash or merge commit; `base` is empty where the clone lacks it."""

    number: int
    commit: str
    base: str
    head: str
    branch: tuple[str, ...] = ()
    """The commits that a merge brought, the newest first."""


class Commits:
    """Every commit of the clone's newest branch, children before parents; a commit is known by its position.

    Some 200 bytes a commit are held; messages are not.
    """

    def __init__(self, clone: Clone) -> None:
        self._ids: list[bytes] = []
        self._parents: list[tuple[int, ...]] = []
        self.people: set[str] = set()
        """Names of the authors and committers of all commits, to be kept out of what is written."""
        self._found: list[tuple[int, int]] = []
        """Position and pull request number, newest first."""
        self.read = 0
        """How many commits of the mainline were read, whatever they announce."""
        self._read(clone)

    def __len__(self) -> int:
        """How many of them announce a pull request."""
        return len(self._found)

    def merged(self) -> Iterator[Merged]:
        """Yield the pull requests, newest first."""
        for at, number in self._found:
            parents = self._parents[at]
            commit = self._ids[at].hex()
            if len(parents) < 2:
                yield Merged(number, commit, self._ids[parents[0]].hex() if parents else "", commit)
                continue
            base, branch = self._fork(*parents[:2])
            brought = tuple(self._ids[own].hex() for own in branch if len(self._parents[own]) < 2)
            began = self._ids[base].hex() if base is not None else ""
            yield Merged(number, commit, began, self._ids[parents[1]].hex(), brought)

    def _read(self, clone: Clone) -> None:
        """Walk the mainline: what is reached from the newest commit without entering a pull request's own branch.

        There a number at a title's end names a pull request; inside a branch it mostly names an issue.
        """
        raw_parents: list[list[bytes]] = []
        mainline = {bytes.fromhex(clone.head)}
        for own, parents, people, subject in _log(clone):
            self.people.update(people)
            self._ids.append(own)
            raw_parents.append(parents)
            if own not in mainline:
                continue
            mainline.remove(own)
            number = messages.number(subject)
            mainline.update(parents if number is None else parents[:1])
            self.read += 1
            if number is not None:
                self._found.append((len(self._ids) - 1, number))
        position = {own: at for at, own in enumerate(self._ids)}
        self._parents = [tuple(position[own] for own in parents if own in position) for parents in raw_parents]

    def _fork(self, one: int, other: int) -> tuple[int | None, list[int]]:
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
            for parent in self._parents[at]:
                if parent not in sides:
                    heappush(queue, parent)
                sides[parent] = sides.get(parent, 0) | side
        return base, alone


def _log(clone: Clone) -> Iterator[tuple[bytes, list[bytes], list[str], str]]:
    """Id, parents, people and subject of every commit, children before parents."""
    with Process(clone, "log", "--topo-order", "--format=%H %P%x00%an%x00%cn%x00%s", clone.head) as log:
        for line in log.answers:
            ids, *people, subject = line.decode("utf-8", "replace").rstrip("\n").split("\0")
            own, *parents = map(bytes.fromhex, ids.split())
            yield own, parents, people, subject
        if not log.succeeded:
            raise log.failure()
