"""Many problems, one a line of a file, and a line of results for each (docs/formats.md).

Results are written as they come, and what is there already is not written again, so a stop costs little; a line that
cannot be used is named at the end and costs the others nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

from hrm_ray import settings
from hrm_ray.errors import UnusableError, UserError, explained
from hrm_ray.evaluate.opened import Network
from hrm_ray.files import why, write_text
from hrm_ray.patch.command import harmless, opened, writable
from hrm_ray.patch.repository import Repository
from hrm_ray.patch.request import Request
from hrm_ray.patch.writer import Proposal, Task, propose
from hrm_ray.progress import bars, console
from hrm_ray.refusal import shown

ROWS = 2
"""Raised when the same code gives another row, so that earlier rows are written again."""


class _Job(NamedTuple):
    """A line that can be solved; `key` is the same for all that must give the same result."""

    key: str
    line: int
    request: Request
    repository: Repository
    task: Task


def write_results(run_dir: Path, overrides: Sequence[str], problems: Path, repo: Path, to: Path | None) -> None:
    """Solve each problem of a file, in the working tree that it names or else in `repo`.

    Raises:
        UserError: the run or file cannot be read; or, after all others were solved, some lines could not be used.
        UnusableError: no line has a patch.
    """
    results, refused = to or run_dir / "patches" / f"{problems.stem}.results.jsonl", list[str]()
    if results.resolve() == problems.resolve():
        raise UserError(f"{problems}: are the problems, and results would take their place; choose another --to")
    network = opened(run_dir, overrides)
    jobs = {job.key: job for job in _jobs(network, problems, repo, refused)}
    if not jobs:  # a mistaken --repo must not empty the results that are there
        _name(refused)
    done = {key: row for key, row in _rows(writable(results)) if key in jobs}
    left = [job for key, job in jobs.items() if key not in done]
    write_text(results, "".join(json.dumps(row) + "\n" for row in done.values()))
    usable = sum(bool(row["patch"]) for row in done.values())
    with bars() as progress, explained(results), results.open("a", encoding="utf-8") as stream:
        bar = progress.add_task("problems", total=len(jobs), completed=len(done))
        for job, proposal in zip(left, propose(network, [job.task for job in left]), strict=True):
            row = _row(job, proposal)
            usable += bool(row["patch"])
            stream.write(json.dumps(row) + "\n")
            stream.flush()
            progress.advance(bar)
    console.print(f"{results}: {len(jobs)} results, {len(left)} of them new; {usable} have a patch")
    _name(refused)
    if not usable:
        raise UnusableError(f"{results}: nothing usable was written for any of the {len(jobs)} problems")


def _name(refused: Sequence[str]) -> None:
    """Say of each line that cannot be used why, the first as the error that it is."""
    for sentence in refused[1:]:
        console.print(harmless(sentence))
    if refused:
        raise UserError(f"{refused[0]} ({len(refused)} such lines in all)" if len(refused) > 1 else refused[0])


def _jobs(network: Network, problems: Path, repo: Path, refused: list[str]) -> Iterator[_Job]:
    """The lines that can be solved; why each of the others cannot is added to `refused`."""
    repositories: dict[Path, Repository] = {}
    for number, line in _lines(problems):
        try:
            request = _request(line, repo)
            if request.repo not in repositories:
                repositories[request.repo] = Repository(request.repo)
            repository = repositories[request.repo]
            (task,) = repository.tasks(network, request, top=1)
        except UserError as error:
            refused.append(f"{problems}:{number}: {error}")
            continue
        yield _Job(_key(network, task), number, request, repository, task)


def _lines(path: Path) -> list[tuple[int, bytes]]:
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({why(error)})") from error
    return [(number, line) for number, line in enumerate(lines, start=1) if line.strip()]


def _request(line: bytes, repo: Path) -> Request:
    try:
        given = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise UserError(f"not JSON ({error})") from error
    if not isinstance(given, dict):
        raise UserError(f"expected keys and values, found {shown(given)}")
    request = settings.check(Request, {"repo": repo} | given, "problem")
    if not request.file:
        raise UserError("problem: file is missing")
    return request


def _key(network: Network, task: Task) -> str:
    """Everything that a result depends on, as a digest."""
    said = (ROWS, network.step, network.config.seed, network.config.evaluate.model_dump_json())
    whole = json.dumps([*said, vars(task.request), task.target.source])
    return hashlib.sha256(whole.encode()).hexdigest()


def _rows(results: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """The results that are there; a line that a stop cut in two is none."""
    for line in results.read_bytes().split(b"\n") if results.is_file() else ():
        try:
            row = json.loads(line)
            yield row["key"], row
        except (ValueError, KeyError, TypeError):
            continue


def _row(job: _Job, proposal: Proposal) -> dict[str, Any]:
    outcome = job.repository.outcome([proposal])
    mended = [file.mended for file in outcome.edited]
    return {
        "key": job.key,
        "line": job.line,
        **job.request.model_dump(mode="json"),
        "plan": proposal.plan,
        "code": proposal.code,
        "finished": proposal.finished,
        "valid": proposal.diagnostic is None and not any(file.error for file in outcome.edited),
        "diagnostic": asdict(proposal.diagnostic) if proposal.diagnostic else None,
        "decision": proposal.decision,
        "imports": {
            name: [each for one in mended for each in getattr(one, name)] for name in ("added", "removed", "unresolved")
        },
        "repeated": [name for file in outcome.edited for name in file.repeated],
        "gone": [name for file in outcome.edited for name in file.gone],
        "patch": outcome.patch,
    }
