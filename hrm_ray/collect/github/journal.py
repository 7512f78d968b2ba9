"""What is done, kept so that a run that was killed goes on and nothing is asked for or written twice.

Each step of a repository is one file, renamed into place when it is whole: the pull requests that were settled, in
order, with the record or the reason for leaving it out, and the cursor of the page to ask for next.
"""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from hrm_ray import settings
from hrm_ray.collect.records import PullRequest, record
from hrm_ray.errors import UserError
from hrm_ray.files import write_text


@dataclass(frozen=True)
class Settled:
    """A pull request that was looked at: `row` is its record, None where `reason` left it out."""

    number: int
    reason: str = ""
    files: Mapping[str, int] = field(default_factory=dict)
    """Files of it that were left out, by reason."""
    row: Mapping[str, Any] | None = None

    @classmethod
    def kept(cls, pull_request: PullRequest, files: Mapping[str, int]) -> Settled:
        """Return what is written of one that passed."""
        return cls(pull_request.pull_request.number, files=files, row=asdict(pull_request))


@dataclass(frozen=True)
class _Step:
    cursor: str | None
    ended: bool
    requests: int


class Journal:
    """The steps of one repository, in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._steps = 0
        self.settled: set[int] = set()
        """Numbers of the pull requests that were looked at."""
        self.kept = 0
        self.requests = 0
        """How many it took to settle them."""
        self.cursor: str | None = None
        """Where the page begins that is to be asked for next."""
        self.ended = False
        """Whether there is no such page."""
        for head, pulls in self._read():
            self._count(head, pulls)

    def add(self, cursor: str | None, ended: bool, requests: int, pulls: Sequence[Settled]) -> None:
        """Write a step; it is on the disk when this returns."""
        head = _Step(cursor, ended, requests)
        text = "\n".join(json.dumps(row) for row in (asdict(head), *map(asdict, pulls)))
        self._folder.mkdir(parents=True, exist_ok=True)
        place = self._place(self._steps)
        partial = place.with_name(f".{place.name}.partial")
        with partial.open("wb") as file:
            file.write(gzip.compress(text.encode(), compresslevel=6, mtime=0))
            file.flush()
            os.fsync(file.fileno())
        partial.replace(place)
        self._count(head, pulls)

    def pulls(self, most: int) -> Iterator[tuple[Settled, PullRequest | None]]:
        """Yield what was settled, in order, until `most` are kept; the record is None where it was left out."""
        left = most
        for _, pulls in self._read():
            for pull in pulls:
                if not left:
                    return
                place = f"{self._folder}: pull request {pull.number}"
                yield pull, None if pull.row is None else record(pull.row, place)
                left -= pull.row is not None

    def _count(self, head: _Step, pulls: Sequence[Settled]) -> None:
        self._steps += 1
        self.cursor, self.ended = head.cursor, head.ended
        self.requests += head.requests
        self.settled.update(pull.number for pull in pulls)
        self.kept += sum(pull.row is not None for pull in pulls)

    def _read(self) -> Iterator[tuple[_Step, list[Settled]]]:
        number = 0
        while (place := self._place(number)).exists():
            try:
                head, *pulls = map(json.loads, gzip.decompress(place.read_bytes()).splitlines())
                step = _Step(**head), [Settled(**pull) for pull in pulls]
            except (OSError, EOFError, ValueError, TypeError) as error:
                raise UserError(
                    f"{place}: cannot be read ({error}); remove {self._folder} to collect it anew"
                ) from error
            yield step
            number += 1

    def _place(self, number: int) -> Path:
        return self._folder / f"{number:06d}.jsonl.gz"


def check_settings(folder: Path, wanted: Mapping[str, Any]) -> None:
    """Refuse to go on with other settings than those that a journal was begun with.

    Raises:
        UserError: one differs that decides what is in the journal; the sentence names it.
    """
    place = folder / "settings.json"
    wanted = json.loads(json.dumps(wanted))
    if place.exists():
        try:
            known = json.loads(place.read_text("utf-8"))
        except ValueError as error:
            raise UserError(f"{place}: cannot be read ({error}); remove {folder} to collect anew") from error
        if differing := settings.differences(known, wanted):
            keys = ", ".join(differing)
            raise UserError(f"{folder} was begun with another {keys}; set it back, or remove {folder} to collect anew")
    else:
        write_text(place, json.dumps(wanted, indent=1))
