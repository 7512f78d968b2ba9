"""Which repositories are read: those that are listed, of organisations, or found, as far as their license allows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import islice
from typing import TypeVar

from hrm_ray.collect.github.answers import Listed
from hrm_ray.collect.github.licenses import FolderLicenses, read
from hrm_ray.collect.github.lists import Lists
from hrm_ray.collect.github.rules import Failure, Missing
from hrm_ray.collect.github.search import rank, search
from hrm_ray.collect.licenses import UNKNOWN, is_allowed
from hrm_ray.collect.records import Repository
from hrm_ray.config import Clean, Collect

Thing = TypeVar("Thing")

SHOWN = 5
"""Repositories that are named of those left out for one reason."""


class Sources:
    """The repositories that the settings mean, and what became of the others."""

    def __init__(self, lists: Lists, settings: Collect, clean: Clean, said: Callable[[str], None]) -> None:
        self._lists, self._settings, self._clean, self._said = lists, settings, clean, said
        self.left_out: dict[str, list[str]] = {}
        """Names by the license because of which they are not read."""
        self.failures: dict[str, str] = {}
        """Why a repository, an organisation or the search could not be read."""
        self._folders: dict[str, FolderLicenses] = {}

    def repositories(self) -> Iterator[Repository]:
        """Yield at most `collect.repositories`, each once; nothing is asked for before it is needed."""
        return islice(self._allowed(), self._settings.repositories)

    def folder_license(self, repository: str, path: str) -> str:
        """The license of a file's folder where it has one of its own; empty if not, or where any is allowed."""
        known = self._folders.get(repository)
        return known.own(path) if known else ""

    def report(self) -> Iterator[str]:
        """Yield a line for each license because of which repositories were left out."""
        for spdx, names in self.left_out.items():
            more = f" and {len(names) - SHOWN:,} more" if len(names) > SHOWN else ""
            reason = f"left out {len(names):,} under license {spdx}, which clean.licenses does not allow"
            yield f"{reason}: {', '.join(names[:SHOWN])}{more}"

    def _allowed(self) -> Iterator[Repository]:
        seen: set[str] = set()
        for found in self._candidates():
            if found.full_name.lower() in seen:
                continue
            seen.add(found.full_name.lower())
            yield from self._try(found.full_name, partial(self._judged, found))

    def _judged(self, found: Listed) -> Iterator[Repository]:
        """The repository, if its license is allowed; its files decide, unless GitHub names one that is not allowed."""
        license_ = (found.license and found.license.spdx_id) or UNKNOWN
        if self._clean.licenses != "any" and (license_ == UNKNOWN or is_allowed(license_, self._clean)):
            self._folders[found.full_name] = folders = read(self._lists, found.full_name)
            license_ = folders.root or license_
        if not is_allowed(license_, self._clean):
            self.left_out.setdefault(license_, []).append(found.full_name)
            return
        for source in self._fork_of(found):
            yield Repository(found.full_name, license_, source)

    def _candidates(self) -> Iterator[Listed]:
        github = self._settings.github
        for name in github.repositories:
            yield from self._try(name, partial(self._alone, name))
        for owner in github.organizations:
            yield from self._try(owner, partial(self._owned, owner))
        if github.search.stars:
            yield from self._try("the search", self._search)

    def _try(self, what: str, ask: Callable[[], Iterable[Thing]]) -> Iterator[Thing]:
        """What is asked for, or nothing where GitHub does not give it."""
        try:
            yield from ask()
        except Failure as error:
            self.failures[what] = str(error)

    def _alone(self, name: str) -> Iterator[Listed]:
        yield self._lists.repository(name)

    def _owned(self, owner: str) -> Iterator[Listed]:
        """The repositories of an organisation, or else of a user, that are mostly Go; most stars first."""
        try:
            every = list(self._lists.owned(owner, "orgs"))
        except Missing:
            every = list(self._lists.owned(owner, "users"))
        return iter(sorted((each for each in every if self._is_wanted(each)), key=rank))

    def _search(self) -> Iterator[Listed]:
        github = self._settings.github
        assert github.search.stars is not None
        marks = " ".join(["fork:true"] * github.forks + ["archived:false"] * (not github.archived))
        allowed = () if self._clean.licenses == "any" else self._clean.licenses
        return search(self._lists, github.search.stars, github.search.licenses or allowed, marks, self._said)

    def _is_wanted(self, found: Listed) -> bool:
        github = self._settings.github
        return found.language == "Go" and github.forks >= found.fork and github.archived >= found.archived

    def _fork_of(self, found: Listed) -> Iterator[str]:
        """The source of a fork, empty of what is none; a list only says that there is one."""
        alone = self._lists.repository(found.full_name) if found.fork and not found.source else found
        yield alone.source.full_name if alone.source else ""
