"""The commits of a clone: which of them merged a pull request, where its branch began, and what it brought."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from io import BufferedReader

from hrm_ray.collect import forges, graph
from hrm_ray.collect.forges import MADE_UP
from hrm_ray.collect.git import Clone, Process
from hrm_ray.collect.graph import Named
from hrm_ray.collect.remains import normal

_GITHUB = "GitHub"
"""The committer of what GitHub itself commits."""


@dataclass(frozen=True)
class Merged:
    """A merged pull request: `commit` is the squash or merge commit; `base` is empty where the clone lacks it."""

    series: str
    number: int
    commit: str
    base: str
    head: str
    branch: tuple[str, ...] = ()
    """The commits that a merge brought and no other pull request did, the newest first."""
    carried: tuple[int, ...] = ()
    """Positions of the commits by which other pull requests came into the branch."""
    sure: bool = True
    again: bool = False
    """An older merge has the same head."""

    @property
    def key(self) -> tuple[str, int]:
        """What is its own among all pull requests of a forge's repository."""
        return self.series, self.number


class Commits:
    """Every commit of the clone's newest branch, children before parents; a commit is known by its position.

    Some 200 bytes a commit are held; messages are not.
    """

    def __init__(self, clone: Clone) -> None:
        self._ids: list[bytes] = []
        self._parents: list[tuple[int, ...]] = []
        self.people: set[str] = set()
        """Names of the authors and committers of all commits, to be kept out of what is written."""
        self._named: dict[int, tuple[Named, ...]] = {}
        self._times: dict[int, int] = {}
        """When each commit was made."""
        self._read(clone)
        self._reached, self._found = graph.walk(self._parents, self._named)
        self.forms = Counter(name.form for at in self._found for name in self._named[at])
        """How many pull requests are announced in each form."""

    def __len__(self) -> int:
        """How many pull requests they announce."""
        return self.forms.total()

    @property
    def read(self) -> int:
        """How many commits count that are not a pull request's own."""
        return len(self._reached) - self._reached.count(0) - self._reached.count(graph.BRANCH)

    @property
    def look(self) -> str:
        """A sentence on how the history names pull requests, and how it could."""
        forms = ", ".join(f"{form} {count:,}" for form, count in self.forms.most_common()) or "none"
        merges = sum(len(parents) > 1 for parents in self._parents)
        return (
            f"of {len(self._parents):,} commits {len(self):,} name a pull request ({forms}) and {merges:,} are merges; "
            f"these messages count: {forges.COUNTING}"
        )

    def merged(self) -> Iterator[Merged]:
        """Yield the pull requests, newest first; those of one number together, the first of them first."""
        newest = sorted(self._found, key=lambda at: (-self._times[at], at))
        groups: dict[tuple[str, int], list[tuple[bool, int, int]]] = {}
        heads: dict[int, int] = {}
        for age, at in enumerate(newest):
            for place, name in enumerate(self._named[at]):
                groups.setdefault(name[:2], []).append((not name.sure, -age, place))
                if (head := self._head(at, place)) != at:
                    heads[head] = at
        for group in groups.values():
            for _, age, place in sorted(group):
                at = newest[-age]
                head = self._head(at, place)
                yield self._merged(at, place, again=head != at and heads[head] != at)

    @property
    def single(self) -> list[int]:
        """Positions of the commits with exactly one parent, newest first."""
        alone = (at for at, above in enumerate(self._parents) if len(above) == 1)
        return sorted(alone, key=lambda at: (-self._times[at], at))

    def each(self) -> Iterator[Merged]:
        """Yield each commit with one parent as a pull request, newest first; its number is above every forge's."""
        for at in self.single:
            base, own = self._ids[self._parents[at][0]].hex(), self._ids[at].hex()
            yield Merged("commit", MADE_UP + len(self._ids) - at, own, base, own)

    def changes(self, at: int) -> list[tuple[str, str]]:
        """Between which commits lies what the commit at a position merged, or made."""
        above = self._parents[at]
        if len(above) < 2:
            return [(self._ids[above[0]].hex(), self._ids[at].hex())] if above else []
        sides = ((graph.fork(self._parents, above[0], other)[0], other) for other in above[1:])
        return [(self._ids[base].hex(), self._ids[other].hex()) for base, other in sides if base is not None]

    def _merged(self, at: int, place: int, again: bool) -> Merged:
        """The pull request that a commit announces in one place."""
        names, above = self._named[at], self._parents[at]
        name = names[place]
        head = self._head(at, place)
        own: list[int] = []
        carried: list[int] = []
        base: int | None = above[0] if above else None
        if len(above) > 1:
            base, own, carried = self._brought(at, above[0], head)
            if carried and not own and not (name.trunk or name.by_github) and self._swapped(at):
                base, own, carried = self._brought(at, head, above[0])
                head = above[0]
        if len(names) > 1 and len(above) != len(names) + 1:
            base = None  # what each of them changed is not known
        began = "" if base is None else self._ids[base].hex()
        branch = tuple(self._ids[each].hex() for each in own)
        commit, tip = self._ids[at].hex(), self._ids[head].hex()
        return Merged(name.series, name.number, commit, began, tip, branch, tuple(carried), name.sure, again)

    def _head(self, at: int, place: int) -> int:
        above = self._parents[at]
        return above[place + 1] if place + 1 < len(above) else at

    def _brought(self, at: int, trunk: int, branch: int) -> tuple[int | None, list[int], list[int]]:
        """Where a branch began that was merged at a position, its own commits, and those that brought others'."""
        base, alone = graph.fork(self._parents, trunk, branch)
        level = self._reached[at]
        return base, *graph.brought(
            self._parents, branch, alone, lambda each: each in self._found or self._reached[each] > level
        )

    def _swapped(self, at: int) -> bool:
        """Whether the trunk was merged into the pull request's branch, which is the trunk since."""
        trunk, branch = self._parents[at][1], self._parents[at][0]
        _, own, carried = self._brought(at, trunk, branch)
        return bool(own) and not carried

    def _read(self, clone: Clone) -> None:
        raw_parents: list[list[bytes]] = []
        for own, parents, people, time, message in _log(clone):
            self.people.update(people)
            self._times[len(self._ids)] = time
            if names := _names(message, people[1] == _GITHUB):
                self._named[len(self._ids)] = names
            self._ids.append(own)
            raw_parents.append(parents)
        position = {own: at for at, own in enumerate(self._ids)}
        self._parents = [tuple(position[own] for own in parents if own in position) for parents in raw_parents]


def _names(message: str, by_github: bool) -> tuple[Named, ...]:
    return tuple(
        Named(found.series, found.number, found.form, found.sure or by_github, graph.is_trunk(found.branch), by_github)
        for found in forges.announced(normal(message))
    )


def _log(clone: Clone) -> Iterator[tuple[bytes, list[bytes], list[str], int, str]]:
    """Id, parents, author and committer, time and message of every commit, children before parents."""
    with Process(clone, "log", "-z", "--topo-order", "--format=%H %P%x00%an%x00%cn%x00%ct%x00%B", clone.head) as log:
        fields = (field.decode("utf-8", "replace") for field in _fields(log.answers))
        for ids, author, committer, time, message in zip(*[fields] * 5, strict=True):
            own, *parents = map(bytes.fromhex, ids.split())
            yield own, parents, [author, committer], int(time), message
        if not log.succeeded:
            raise log.failure()


def _fields(answers: BufferedReader) -> Iterator[bytes]:
    """What ends with a null character."""
    rest = b""
    while more := answers.read1(1 << 20):
        *whole, rest = (rest + more).split(b"\0")
        yield from whole
