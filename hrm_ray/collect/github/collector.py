"""The pull requests of one repository: listed, refused early where possible, compared, read, and journaled.

A run begins at the newest every time: what was merged since the last one, and what that one could not read, then comes
by itself, and what is settled costs its share of a page.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace

from hrm_ray.collect import filters
from hrm_ray.collect.filters import Dropped
from hrm_ray.collect.github.candidate import Candidate
from hrm_ray.collect.github.changes import changes, check_listing
from hrm_ray.collect.github.client import Client
from hrm_ray.collect.github.contents import Contents
from hrm_ray.collect.github.journal import Journal, Settled
from hrm_ray.collect.github.nodes import Pull
from hrm_ray.collect.github.pulls import Page, Pages
from hrm_ray.collect.github.request import request
from hrm_ray.collect.github.rules import Failure, Unable
from hrm_ray.collect.records import Repository
from hrm_ray.config import Config

BATCH = 10
"""Pull requests whose files are asked for together; a run that is killed has compared so many in vain at most."""

MOST_UNREAD = 10
"""Pull requests that are passed over, beyond as many as can be read; where there are more, the fault is not theirs."""


class Collector:
    """Fills the journal of one repository; `looked_at` is called for each pull request that is settled."""

    def __init__(
        self,
        client: Client,
        repository: Repository,
        config: Config,
        journal: Journal,
        looked_at: Callable[[], None],
        license_of: Callable[[str], str],
    ) -> None:
        self._client, self._repository, self._journal, self._looked_at = client, repository, journal, looked_at
        self._limits, self._most = config.clean, config.collect.pull_requests
        self._pages = Pages(client, repository.full_name, config.collect.github.comments)
        self._contents = Contents(client, repository.full_name, config.clean.largest_file)
        self._license_of = license_of
        """The license of a path's folder where that is not the repository's."""
        self._accounted = client.requests
        self._passed: Counter[bool] = Counter()
        """How many pull requests this run came to that are kept, and that are not, those of earlier runs included."""
        self._waiting: list[Settled | Candidate] = []
        """What was decided since the last step, in order."""
        self.unread: dict[str, str] = {}
        """Why GitHub could not give a pull request, by its number: not journaled, so that it is tried again."""

    def run(self) -> None:
        """Go back from the newest pull request until enough are kept or there are no more.

        Raises:
            Failure, UserError: GitHub does not answer; what is journaled stays.
        """
        end, is_last = None, False
        while not self._enough and not is_last:
            page = self._pages.after(end)
            self._look(page)
            end, is_last = page.end, page.is_last

    @property
    def _enough(self) -> bool:
        return self._passed[True] >= self._most

    def _look(self, page: Page) -> None:
        self._pass_over(page.unread)
        for pull in page.pulls:
            try:
                self._come_to(pull)
            except Failure:
                self._settle()
                raise
            candidates = sum(isinstance(each, Candidate) for each in self._waiting)
            if candidates >= min(BATCH, self._most - self._passed[True]):
                self._settle()
            if self._enough:
                return
        self._settle()

    def _come_to(self, pull: Pull) -> None:
        if pull.number in self._journal.settled:
            self._passed[self._journal.settled[pull.number]] += 1
            return
        try:
            self._waiting.append(self._decided(pull))
        except Unable as error:
            self._pass_over({str(pull.number): str(error)})

    def _decided(self, pull: Pull) -> Settled | Candidate:
        try:
            said = request(pull)
            filters.check_kind(said, self._limits, pull.head_ref_name)
            check_listing(pull, self._limits)
            changed = changes(self._client, self._repository.full_name, pull, self._limits)
            return Candidate(replace(said, base_sha=changed.base), changed)
        except Dropped as reason:
            return Settled(pull.number, pull.created_at, str(reason))

    def _settle(self) -> None:
        """Read the contents of what waits and write a step of the journal."""
        candidates = [each for each in self._waiting if isinstance(each, Candidate)]
        contents = self._contents.read([place for each in candidates for place in each.places()])
        settled, unread = [], {}
        for each in self._waiting:
            if isinstance(each, Settled):
                settled.append(each)
                continue
            try:
                settled.append(each.finished(self._repository, contents, self._limits, self._license_of))
            except Unable as error:
                unread[str(each.request.number)] = str(error)
        self._waiting = []
        self._write(settled)
        self._pass_over(unread)

    def _write(self, settled: list[Settled]) -> None:
        if not settled:
            return
        spent, self._accounted = self._client.requests - self._accounted, self._client.requests
        self._journal.add(spent, settled)
        for each in settled:
            self._passed[each.row is not None] += 1
            self._looked_at()

    def _pass_over(self, unread: Mapping[str, str]) -> None:
        self.unread.update(unread)
        if len(self.unread) > MOST_UNREAD + self._passed.total() + len(self._waiting):
            why = [*self.unread.values()][-1]
            raise Failure(f"{len(self.unread)} pull requests cannot be read, the last one for this: {why}")
