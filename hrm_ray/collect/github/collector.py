"""The pull requests of one repository: listed, refused early where possible, compared, read, and journaled in order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from hrm_ray.collect import filters
from hrm_ray.collect.filters import Dropped
from hrm_ray.collect.github.answers import Difference
from hrm_ray.collect.github.changes import Changes, changes, check_listing, is_written
from hrm_ray.collect.github.client import Client
from hrm_ray.collect.github.contents import Contents, Place
from hrm_ray.collect.github.journal import Journal, Settled
from hrm_ray.collect.github.nodes import Pull, Pulls
from hrm_ray.collect.github.pulls import Pages
from hrm_ray.collect.github.request import request
from hrm_ray.collect.github.rules import Failure
from hrm_ray.collect.records import ChangedFile, PullRequest, Repository, Request
from hrm_ray.config import Config
from hrm_ray.golang.syntax import parse_file_ok

BATCH = 10
"""Pull requests whose files are asked for together; a run that is killed has compared so many in vain at most."""


@dataclass(frozen=True)
class _Candidate:
    """A pull request that needs nothing any more but the contents of its files."""

    request: Request
    changes: Changes

    def before(self, file: Difference) -> Place:
        return self.changes.base, file.previous_filename or file.filename

    def after(self, file: Difference) -> Place:
        return self.request.head_sha, file.filename

    def places(self) -> Iterator[Place]:
        for file in self.changes.files:
            if file.status != "added":
                yield self.before(file)
            if file.status != "removed":
                yield self.after(file)


class Collector:
    """Fills the journal of one repository; `looked_at` is called for each pull request that is settled."""

    def __init__(
        self, client: Client, repository: Repository, config: Config, journal: Journal, looked_at: Callable[[], None]
    ) -> None:
        self._client, self._repository, self._journal, self._looked_at = client, repository, journal, looked_at
        self._limits, self._most = config.clean, config.collect.pull_requests
        self._pages = Pages(client, repository.full_name, config.collect.github.comments)
        self._contents = Contents(client, repository.full_name, config.clean.largest_file)
        self._accounted = client.requests
        self._waiting: list[Settled | _Candidate] = []
        """What was decided since the last step, in order."""

    def run(self) -> None:
        """Go on until enough pull requests are kept or there are no more.

        Raises:
            Failure, UserError: GitHub does not answer; what is journaled stays.
        """
        while not self._enough and not self._journal.ended:
            begin = self._journal.cursor
            page = self._pages.after(begin)
            self._look(page, begin)
            if not self._enough:
                info = page.page_info
                self._settle(info.end_cursor, not info.has_next_page or info.end_cursor == begin)

    @property
    def _enough(self) -> bool:
        return self._journal.kept >= self._most

    def _look(self, page: Pulls, begin: str | None) -> None:
        for pull in page.nodes:
            if pull is not None and pull.number in self._journal.settled:
                continue
            try:
                self._waiting.append(self._decided(pull))
            except Failure:
                if self._waiting:
                    self._settle(begin, ended=False)
                raise
            candidates = sum(isinstance(each, _Candidate) for each in self._waiting)
            if candidates == min(BATCH, self._most - self._journal.kept):
                self._settle(begin, ended=False)
            if self._enough:
                return

    def _decided(self, pull: Pull | None) -> Settled | _Candidate:
        if pull is None:
            return Settled(0, "pull request that GitHub could not give")
        try:
            said = request(pull)
            filters.check_kind(said, self._limits, pull.head_ref_name)
            check_listing(pull, self._limits)
            changed = changes(self._client, self._repository.full_name, pull, self._limits)
            return _Candidate(replace(said, base_sha=changed.base), changed)
        except Dropped as reason:
            return Settled(pull.number, str(reason))

    def _settle(self, cursor: str | None, ended: bool) -> None:
        """Read the contents of what waits and write a step of the journal."""
        candidates = [each for each in self._waiting if isinstance(each, _Candidate)]
        contents = self._contents.read([place for each in candidates for place in each.places()])
        pulls = [each if isinstance(each, Settled) else self._finished(each, contents) for each in self._waiting]
        spent, self._accounted = self._client.requests - self._accounted, self._client.requests
        self._journal.add(cursor, ended, spent, pulls)
        for _ in pulls:
            self._looked_at()
        self._waiting = []

    def _finished(self, candidate: _Candidate, contents: dict[Place, bytes | Dropped]) -> Settled:
        dropped: Counter[str] = Counter()
        files = []
        try:
            if any(place not in contents for place in candidate.places()):
                raise Dropped("pull request with a file whose content is not on GitHub")
            for file in candidate.changes.files:
                try:
                    files.append(_file(candidate, file, contents, self._limits.largest_file))
                except Dropped as reason:
                    dropped[str(reason)] += 1
            filters.check_files(files, self._limits)
            return Settled.kept(PullRequest(self._repository, candidate.request, tuple(files)), dict(dropped))
        except Dropped as reason:
            return Settled(candidate.request.number, str(reason), dict(dropped))


def _file(candidate: _Candidate, file: Difference, contents: dict[Place, bytes | Dropped], largest: int) -> ChangedFile:
    if file.previous_filename and file.status == "renamed" and not is_written(file.previous_filename):
        raise Dropped("file that was moved here from code that is left out")
    before = _text(contents[candidate.before(file)], largest) if file.status != "added" else ""
    after = _text(contents[candidate.after(file)], largest) if file.status != "removed" else ""
    patch = f"{file.patch.rstrip(chr(10))}\n" if file.patch else ""
    valid = not after or parse_file_ok(after)
    return ChangedFile(file.filename, file.status, file.additions, file.deletions, patch, before, after, valid)


def _text(content: bytes | Dropped, largest: int) -> str:
    if isinstance(content, Dropped):
        raise content
    return filters.text(content, largest)
