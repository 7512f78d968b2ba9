"""What `collect` does with GitHub: repository after repository into the journal, and from there into one file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from rich.progress import Progress

from hrm_ray.collect import records
from hrm_ray.collect.collection import Tally
from hrm_ray.collect.github import token
from hrm_ray.collect.github.client import Client
from hrm_ray.collect.github.clock import Clock, SystemClock
from hrm_ray.collect.github.collector import Collector
from hrm_ray.collect.github.journal import Journal, check_settings
from hrm_ray.collect.github.lists import Lists
from hrm_ray.collect.github.repositories import Sources
from hrm_ray.collect.github.rules import Failure
from hrm_ray.collect.licenses import refusal
from hrm_ray.collect.records import PullRequest, Repository
from hrm_ray.config import Config
from hrm_ray.errors import UserError
from hrm_ray.files import locked

UNREAD = "pull request that GitHub could not give"
"""What those are counted under that the next run tries again."""

FORM = 3
"""Of the journal; raised when an older one can no longer be gone on with."""


def collect_github(config: Config, progress: Progress, clock: Clock | None = None) -> None:
    """Write the newest pull requests of each repository that pass the filters.

    The same command goes on after a stop, asks again for what could not be read, and takes in what was merged since.

    Raises:
        UserError: there is no token, or GitHub does not accept it or cannot be reached; the journal was begun with
            other settings; another process works in it; or nothing came.
    """
    folder = config.data / "github"
    bearer = token.found(config.collect.github.api)
    with locked(folder):
        check_settings(folder, _deciding(config))
        said = progress.console.print
        with Client(config.collect.github.api, bearer, clock or SystemClock(), said) as client:
            run = _Run(config, progress, client)
            run.collect()
        run.write()


def _deciding(config: Config) -> dict[str, object]:
    """The settings that decide what a journal holds; which repositories, and how many, may change."""
    github = config.collect.github
    clean = config.clean.model_dump(
        mode="json", include={"licenses", "go_files", "added_lines", "largest_file", "leave_out"}
    )
    return {
        "form": FORM,
        "collect.github.api": github.api,
        "collect.github.comments": github.comments,
        **{f"clean.{name}": value for name, value in clean.items()},
    }


class _Run:
    """One run over all repositories."""

    def __init__(self, config: Config, progress: Progress, client: Client) -> None:
        self._config, self._progress, self._client = config, progress, client
        self._folder = config.data / "github"
        lists = Lists(client, self._folder / "lists")
        self._sources = Sources(lists, config.collect, config.clean, progress.console.print)
        self._journals: dict[Repository, Journal] = {}
        self._unread: dict[Repository, int] = {}
        """How many pull requests could not be read."""

    def collect(self) -> None:
        """Fill the journals; what fails is noted and does not stop the others."""
        for repository in self._sources.repositories():
            journal = Journal(self._folder / repository.full_name.replace("/", "+"))
            self._journals[repository] = journal
            with self._bar(repository, journal) as looked_at:
                license_of = partial(self._sources.folder_license, repository.full_name)
                collector = Collector(self._client, repository, self._config, journal, looked_at, license_of)
                self._fill(collector, repository)

    def _fill(self, collector: Collector, repository: Repository) -> None:
        name, failures = repository.full_name, self._sources.failures
        try:
            collector.run()
        except Failure as error:
            failures[name] = str(error)
        failures.update({f"{name}: pull request {number}": why for number, why in collector.unread.items()})
        self._unread[repository] = len(collector.unread)

    def write(self) -> None:
        """Write the pull requests and what is known of them, and say what was left out.

        Raises:
            UserError: there is none.
        """
        tally, path = Tally(), self._config.pull_requests
        tally.drops.update({refusal(spdx, "repository"): len(names) for spdx, names in self._sources.left_out.items()})
        self._report()
        if not any(journal.kept for journal in self._journals.values()):
            raise UserError(f"collect.github: no pull request came ({'; '.join(self._reasons()) or 'there is none'})")
        count = records.write(path, tally.passed(self._pull_requests(tally)))
        requests = sum(journal.requests for journal in self._journals.values())
        tally.write(self._config, requests)
        looked_at = f"looked at {tally.looked_at.total():,} pull requests"
        self._say(f"{looked_at} with {requests:,} requests, {requests / count:.2f} for each that is kept")
        for reason, dropped in tally.drops.most_common():
            self._say(f"  dropped {dropped:,}: {reason}")
        self._say(f"{path}: {count:,} pull requests")

    def _report(self) -> None:
        """Say which repositories are left out or failed."""
        for line in self._sources.report():
            self._say(line)
        failures = self._sources.failures
        if failures:
            self._say(f"failed {len(failures):,}; the same command tries them again:")
        for name, why in failures.items():
            self._say(f"  {name}: {why}")

    def _reasons(self) -> Iterator[str]:
        """Why nothing came."""
        yield from (f"{name}: {why}" for name, why in self._sources.failures.items())
        yield from self._sources.report()
        if self._sources.left_out:
            yield "if the code is your own, set clean.licenses: any"
        tally = Tally()
        for _ in self._pull_requests(tally):
            pass
        yield from (f"{reason}: {count}" for reason, count in tally.drops.most_common())

    def _pull_requests(self, tally: Tally) -> Iterator[PullRequest]:
        for repository, journal in self._journals.items():
            tally.begin(repository)
            for settled, found in journal.pulls(self._config.collect.pull_requests):
                tally.looked_at[repository.full_name] += 1
                tally.drops.update(settled.files)
                if found is None:
                    tally.drops[settled.reason] += 1
                else:
                    yield found
            if unread := self._unread[repository]:
                tally.looked_at[repository.full_name] += unread
                tally.drops[UNREAD] += unread

    @contextmanager
    def _bar(self, repository: Repository, journal: Journal) -> Iterator[Callable[[], None]]:
        """Show a bar and give what moves it: pull requests kept, requests left, time to the reset."""
        name, most = repository.full_name, self._config.collect.pull_requests
        self._say(f"{name}: at most {most:,} pull requests, {min(journal.kept, most):,} of them here already")
        bar = self._progress.add_task(name, total=most, completed=min(journal.kept, most))

        def looked_at() -> None:
            shown = f"{name}, {self._client.budget}" if self._client.budget else name
            self._progress.update(bar, completed=min(journal.kept, most), description=shown)

        yield looked_at
        self._progress.update(bar, visible=False)  # there may be hundreds

    def _say(self, line: str) -> None:
        self._progress.console.print(line)
