"""What is done, kept so that a run that was killed goes on and nothing is asked for or written twice.

Each step of a repository is one file, renamed into place when it is whole: pull requests that were settled, with the
record or the reason for leaving it out. What could not be read is in none, and so is asked for again.
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
from hrm_ray.files import PARTIAL, replacing, write_text


@dataclass(frozen=True)
class Settled:
    """A pull request that was looked at: `row` is its record, None where `reason` left it out."""

    number: int
    created_at: str
    reason: str = ""
    files: Mapping[str, int] = field(default_factory=dict)
    """Files of it that were left out, by reason."""
    row: Mapping[str, Any] | None = None

    @classmethod
    def kept(cls, pull_request: PullRequest, files: Mapping[str, int]) -> Settled:
        """Return what is written of one that passed."""
        request = pull_request.pull_request
        return cls(request.number, request.created_at, files=files, row=asdict(pull_request))


class Journal:
    """The steps of one repository, in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._steps = 0
        self._order: list[tuple[str, int, int, int]] = []
        """Of each pull request, when it was opened, its number, and the step and the place in it."""
        self.settled: dict[int, bool] = {}
        """Whether a pull request that was looked at was kept, by its number."""
        self.requests = 0
        """How many it took to settle them."""
        while self._place(self._steps).exists():
            self._count(*self._read(self._steps))

    @property
    def kept(self) -> int:
        """How many were kept."""
        return sum(self.settled.values())

    def add(self, requests: int, pulls: Sequence[Settled]) -> None:
        """Write a step; it is on the disk when this returns."""
        text = "\n".join(json.dumps(row) for row in ({"requests": requests}, *map(asdict, pulls)))
        with replacing(self._place(self._steps), PARTIAL) as building, building.open("wb") as file:
            file.write(gzip.compress(text.encode(), compresslevel=6, mtime=0))
            file.flush()
            os.fsync(file.fileno())
        self._count(requests, pulls)

    def pulls(self, most: int) -> Iterator[tuple[Settled, PullRequest | None]]:
        """Yield what was settled, the newest first, until `most` are kept; the record is None where it was left out."""
        left, held, pulls = most, -1, list[Settled]()
        for _, number, step, at in sorted(self._order, reverse=True):
            if not left:
                return
            if step != held:
                held, (_, pulls) = step, self._read(step)
            row, place = pulls[at].row, f"{self._folder}: pull request {number}"
            yield pulls[at], None if row is None else record(row, place)
            left -= row is not None

    def _count(self, requests: int, pulls: Sequence[Settled]) -> None:
        self._order += [(pull.created_at, pull.number, self._steps, at) for at, pull in enumerate(pulls)]
        self._steps += 1
        self.requests += requests
        self.settled |= {pull.number: pull.row is not None for pull in pulls}

    def _read(self, step: int) -> tuple[int, list[Settled]]:
        place = self._place(step)
        try:
            head, *pulls = map(json.loads, gzip.decompress(place.read_bytes()).splitlines())
            return int(head["requests"]), [Settled(**pull) for pull in pulls]
        except (OSError, EOFError, ValueError, TypeError, KeyError) as error:
            raise UserError(f"{place}: cannot be read ({error}); remove {self._folder} to collect it anew") from error

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
