"""A working tree with what is known of it, and from what was written for it to one patch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from pathlib import Path

from hrm_ray.errors import UserError
from hrm_ray.evaluate.opened import Network
from hrm_ray.golang.toolchain import toolchain
from hrm_ray.patch.difference import patch
from hrm_ray.patch.edit import Edited, Writing, edit
from hrm_ray.patch.packages import Packages
from hrm_ray.patch.ranking import Ranking
from hrm_ray.patch.request import Request
from hrm_ray.patch.target import locate
from hrm_ray.patch.tree import WorkingTree
from hrm_ray.patch.writer import Proposal, Task, task


@dataclass(frozen=True)
class Outcome:
    """What came of a request: everything that was written, and the patch of what is worth one."""

    proposals: tuple[Proposal, ...]
    edited: tuple[Edited, ...]
    patch: str
    """Empty where nothing is changed."""


class Repository:
    """A working tree, its packages and its ranking, each read when it is first needed."""

    def __init__(self, place: Path) -> None:
        """Find it.

        Raises:
            UserError: there is no git repository with a Go file.
        """
        self.tree = WorkingTree(place)
        if not self.tree.go_files:
            raise UserError(f"{self.tree.root}: has no Go file")
        self._go = toolchain()
        self._packages = Packages(self.tree, self._go)

    @cached_property
    def _ranking(self) -> Ranking:
        return Ranking(self.tree.sources)

    def tasks(self, network: Network, request: Request, top: int) -> list[Task]:
        """Return the task of the place that is asked for, or those of the `top` places that fit the problem best.

        Raises:
            UserError: the place is unknown, or too large for the run's window; of `top` places those are left out.
        """
        if request.file:
            target = locate(self.tree, request.file, request.declaration, add=request.add)
            return [task(network, target, request.problem)]
        found, too_large = list[Task](), list[UserError]()
        for target in self._ranking.targets(request.problem):
            if len(found) == top:
                break
            try:
                found.append(task(network, target, request.problem))
            except UserError as error:
                too_large.append(error)
        if not found and too_large:
            raise too_large[0]
        if not found:
            raise UserError(f"{self.tree.root}: no declaration shares a word with the title or body")
        return found

    def outcome(self, proposals: Sequence[Proposal]) -> Outcome:
        """Return the patch of what is valid Go; a file that would no longer parse is left out of it."""
        files = groupby(sorted((one for one in proposals if one.usable), key=_path), _path)
        edited = [
            edit([Writing(one.target, one.code) for one in group], self._packages, self._go) for _, group in files
        ]
        changed = tuple(one for one in edited if one.after != one.before)
        return Outcome(tuple(proposals), changed, patch([one for one in changed if not one.error]))


def _path(proposal: Proposal) -> str:
    return proposal.target.path
