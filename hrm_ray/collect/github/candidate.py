"""A pull request whose changes are known, and what becomes of it once the contents of its files are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from hrm_ray.collect import filters
from hrm_ray.collect.filters import Dropped
from hrm_ray.collect.github.answers import Difference
from hrm_ray.collect.github.changes import Changes, is_written
from hrm_ray.collect.github.contents import Content, Place
from hrm_ray.collect.github.journal import Settled
from hrm_ray.collect.github.rules import Unable
from hrm_ray.collect.licenses import joined, licensed
from hrm_ray.collect.records import ChangedFile, PullRequest, Repository, Request
from hrm_ray.config import Clean
from hrm_ray.golang.syntax import parse_file_ok

Contents = Mapping[Place, Content]

WithLicense = Callable[[ChangedFile, str | None], ChangedFile]
"""Adds the license of a file, whose path was another one before; Dropped where it is not allowed."""


@dataclass(frozen=True)
class Candidate:
    """A pull request that needs nothing any more but the contents of its files."""

    request: Request
    changes: Changes

    def places(self) -> Iterator[Place]:
        """Yield where these contents are."""
        for file in self.changes.files:
            if file.status != "added":
                yield self._before(file)
            if file.status != "removed":
                yield self._after(file)

    def finished(
        self, repository: Repository, contents: Contents, limits: Clean, license_of: Callable[[str], str]
    ) -> Settled:
        """Return it with its files, or the reason for leaving it out; `license_of` a path is that of its folder.

        Raises:
            Unable: GitHub could not give one of the contents.
        """

        def with_license(file: ChangedFile, previous: str | None) -> ChangedFile:
            folder = joined(license_of(file.filename), license_of(previous) if previous else "")
            return licensed(file, folder, repository.license, limits)

        number, created_at = self.request.number, self.request.created_at
        dropped: Counter[str] = Counter()
        try:
            files = list(self._files(contents, limits.largest_file, with_license, dropped))
            filters.check_files(files, limits)
            return Settled.kept(PullRequest(repository, self.request, tuple(files)), dict(dropped))
        except Dropped as reason:
            return Settled(number, created_at, str(reason), dict(dropped))

    def _files(
        self, contents: Contents, largest: int, with_license: WithLicense, dropped: Counter[str]
    ) -> Iterator[ChangedFile]:
        found = [contents.get(place) for place in self.places()]
        for content in found:
            if isinstance(content, Unable):
                raise content
        if None in found:
            raise Dropped("pull request with a file whose content is not on GitHub")
        for file in self.changes.files:
            try:
                yield with_license(self._file(file, contents, largest), file.previous_filename)
            except Dropped as reason:
                dropped[str(reason)] += 1

    def _file(self, file: Difference, contents: Contents, largest: int) -> ChangedFile:
        if file.previous_filename and file.status == "renamed" and not is_written(file.previous_filename):
            raise Dropped("file that was moved here from code that is left out")
        before = _text(contents[self._before(file)], largest) if file.status != "added" else ""
        after = _text(contents[self._after(file)], largest) if file.status != "removed" else ""
        patch = f"{file.patch.rstrip(chr(10))}\n" if file.patch else ""
        valid = not after or parse_file_ok(after)
        return ChangedFile(file.filename, file.status, file.additions, file.deletions, patch, before, after, valid)

    def _before(self, file: Difference) -> Place:
        return self.changes.base, file.previous_filename or file.filename

    def _after(self, file: Difference) -> Place:
        return self.request.head_sha, file.filename


def _text(content: Content, largest: int) -> str:
    if not isinstance(content, bytes):
        raise content
    return filters.text(content, largest)
