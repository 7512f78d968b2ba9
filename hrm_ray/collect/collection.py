"""`collection.json`: what `collect` looked at, took and left, beside the pull requests that it wrote."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator

from hrm_ray.collect.records import PullRequest, Repository
from hrm_ray.config import Config
from hrm_ray.files import sha256, write_text

NAME = "collection.json"


class Tally:
    """The counts of one collection, repository by repository."""

    def __init__(self) -> None:
        self.drops: Counter[str] = Counter()
        """Pull requests, and single files of them, that were left out, by reason."""
        self.looked_at: Counter[str] = Counter()
        """Pull requests by `full_name`, kept or not."""
        self._known: dict[str, Repository] = {}
        self._kept: Counter[str] = Counter()

    def begin(self, repository: Repository) -> None:
        """Note a repository, of which perhaps nothing will be kept."""
        self._known[repository.full_name] = repository
        self.looked_at[repository.full_name] = 0

    def passed(self, pull_requests: Iterable[PullRequest]) -> Iterator[PullRequest]:
        """Yield the pull requests and count them as kept."""
        for each in pull_requests:
            self._known[each.repo.full_name] = each.repo
            self._kept[each.repo.full_name] += 1
            yield each

    def write(self, config: Config, requests: int | None = None) -> None:
        """Write the file for the pull requests that lie there; no time is in it, so the same command repeats it.

        `requests` are those to GitHub that it took to read the pull requests, None where nobody was asked.
        """
        about = {
            "source": config.collect.source,
            "pull_requests_sha256": sha256(config.pull_requests),
            "repositories": [self._about(name) for name in dict.fromkeys([*self.looked_at, *self._kept])],
            "drops": dict(sorted(self.drops.items())),
            "requests": requests,
            "settings": config.collect.model_dump(mode="json"),
        }
        write_text(config.pull_requests.with_name(NAME), json.dumps(about, indent=1) + "\n")

    def _about(self, name: str) -> dict[str, str | int | None]:
        """License and source are null where they are not known: of a clone of which nothing was kept."""
        known = self._known.get(name)
        return {
            "full_name": name,
            "license": known.license if known else None,
            "fork_of": known.fork_of if known else None,
            "looked_at": max(self.looked_at[name], self._kept[name]),
            "kept": self._kept[name],
        }
