"""What share of the written code is type-clean in its file, as far as one file can tell (`hrm_ray.golang.ladder`)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from typing import Any, TypeAlias

from hrm_ray.collect import records
from hrm_ray.config import Config
from hrm_ray.evaluate.generation import Attempt
from hrm_ray.evaluate.statistics import share
from hrm_ray.golang.ladder import Candidate, Outcome, Verdict, climb
from hrm_ray.golang.supervisor import helper
from hrm_ray.golang.toolchain import toolchain
from hrm_ray.prepare.examples import Example

Files = Mapping[tuple[str, int, str], str]
"""Files after their pull requests, by repository, number and path."""

Climb: TypeAlias = Callable[[Sequence[Candidate]], Iterable[Verdict]]
"""Takes candidates up to their types, in order."""


def here(candidates: Iterable[Candidate]) -> Iterator[Verdict]:
    """Take candidates up the ladder with one helper of this process; without a toolchain types are unknown."""
    go = toolchain()
    asked = helper(go) if go else None
    with asked or nullcontext():
        yield from (climb(one, asked) for one in candidates)


def measure(config: Config, found: Sequence[Attempt], climbed: Climb = here) -> dict[str, Any] | None:
    """Return the `types` of `evaluation.json`; None without a Go toolchain, or without the pull requests themselves.

    Code stands where the merged change stands, in the file after it, whose imports it may use. What one file cannot
    tell is left undecided. The merged code itself is measured beside, for what the check is worth.
    """
    files = after(config, [attempt.example for attempt in found])
    if toolchain() is None or not files:
        return None
    known = [attempt for attempt in found if _key(attempt.example) in files]
    valid = [_candidate(files, attempt.example, attempt.code) for attempt in known if attempt.valid]
    merged = [_candidate(files, attempt.example, attempt.example.code) for attempt in known]
    outcomes = [verdict.outcome for verdict in climbed([*valid, *merged])]
    written = [*outcomes[: len(valid)], *[Outcome.NOT_VALID] * (len(known) - len(valid))]
    return {"count": len(known), **_shares(written), "merged": _shares(outcomes[len(valid) :])}


def after(config: Config, examples: Sequence[Example]) -> Files:
    """Return the files that the examples' code is in, as far as the pull requests are still there."""
    if not config.pull_requests.exists():
        return {}
    wanted = {_key(example) for example in examples}
    numbers = {(repository, number) for repository, number, _ in wanted}
    return {
        (pull.repo.full_name, pull.pull_request.number, file.filename): file.content_after
        for pull in records.read(config.pull_requests)
        if (pull.repo.full_name, pull.pull_request.number) in numbers
        for file in pull.files
        if file.content_after and (pull.repo.full_name, pull.pull_request.number, file.filename) in wanted
    }


def _key(example: Example) -> tuple[str, int, str]:
    return example.repository, example.number, example.path


def _candidate(files: Files, example: Example, code: str) -> Candidate:
    return Candidate(code, files[_key(example)], tuple(example.names))


def _shares(outcomes: Sequence[Outcome]) -> dict[str, float | None]:
    """The share that one file can decide, and of that what is clean."""
    decided = [outcome for outcome in outcomes if outcome != Outcome.UNKNOWN]
    return {
        "decided_share": share([outcome != Outcome.UNKNOWN for outcome in outcomes]),
        "clean_share": share([outcome == Outcome.VALID for outcome in decided]),
    }
