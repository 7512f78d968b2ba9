"""What `hrm-ray generate` does on the user's own code, and prints."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from hrm_ray import settings
from hrm_ray.errors import UnusableError, UserError
from hrm_ray.evaluate.opened import Network, open_network
from hrm_ray.files import why, write_text
from hrm_ray.patch.repository import Outcome, Repository
from hrm_ray.patch.request import Request
from hrm_ray.patch.writer import propose
from hrm_ray.progress import bars, console
from hrm_ray.train.run import read_run

_STYLES = {"+": "green", "-": "red", "@": "cyan"}
_CONTROL = re.compile(r"[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]|\r(?!\n)")
"""What acts on a terminal, or turns the order of its letters round, or cannot be printed; a CRLF is a line end."""

_LONGEST = 60
"""Characters of a title in a file's name."""


def write_patch(run_dir: Path, overrides: Sequence[str], asked: Mapping[str, Any], top: int, to: Path | None) -> None:
    """Solve one problem in a working tree, which stays as it is: print what was written, and write it as a patch.

    Raises:
        UserError: the run, repository, file or declaration is none.
        UnusableError: nothing that was written is valid Go and a change.
    """
    request = settings.check(Request, asked, "generate")
    repository = Repository(request.repo)
    network = opened(run_dir, overrides)
    path = writable(to or run_dir / "patches" / f"{_slug(request.title)}.patch")
    if not request.file:
        console.print(f"ranking what {len(repository.tree.sources):,} Go files of {repository.tree.root} declare")
    tasks = repository.tasks(network, request, top)
    with bars() as progress:
        proposals = list(progress.track(propose(network, tasks), total=len(tasks), description="writing"))
    outcome = repository.outcome(proposals)
    _print(outcome)
    if not outcome.patch:
        raise UnusableError(
            "nothing usable was written, so there is no patch: it is empty, not valid Go, or what is there already"
        )
    write_text(path, outcome.patch)
    console.print(f"{path}; next: {shlex.join(['git', '-C', str(repository.tree.root), 'apply', str(path.resolve())])}")


def writable(path: Path) -> Path:
    """Return `path`, its folder made; asked before hours of writing and not after.

    Raises:
        UserError: no file can be written there.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            raise IsADirectoryError("it is a folder")
        with NamedTemporaryFile(prefix=f".{path.name}.", dir=path.parent):
            return path
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: cannot be written ({why(error)}); choose another --to") from error


def opened(run_dir: Path, overrides: Sequence[str]) -> Network:
    """Open a run's network with settings of `evaluate` replaced."""
    return open_network(run_dir, read_run(run_dir, overrides))


def _print(outcome: Outcome) -> None:
    """Show what was written, and what of it the patch leaves out."""
    for proposal in outcome.proposals:
        console.rule(harmless(proposal.target.name))
        console.print("plan", style="bold")
        console.print(harmless(proposal.plan))
        console.print(f"{proposal.verdict}; the head says {proposal.decision}", style="bold")
        if not proposal.usable:
            console.print(f"{harmless(proposal.code)}\n(left out of the patch)")
    for file in outcome.edited:
        _print_names(f"{file.path}: imports", file.mended.added)
        _print_names(f"{file.path}: no longer imports", file.mended.removed)
        _print_names(f"{file.path}: unresolved:", file.mended.unresolved)
        _print_names(f"{file.path}: declared twice:", file.repeated)
        _print_names(f"{file.path}: no longer declares", file.gone)
        _print_names(f"{file.path}: left out of the patch, as it would no longer parse:", filter(None, [file.error]))
    for line in harmless(outcome.patch).split("\n"):
        console.print(line, style=_STYLES.get(line[:1]))


def harmless(text: str) -> str:
    """Return a text of others, a model's or a file's name, without what would tell the terminal to do something."""
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", text)


def _print_names(what: str, names: Iterable[str]) -> None:
    if listed := ", ".join(names):
        console.print(harmless(f"{what} {listed}"))


def _slug(title: str) -> str:
    """A title as the name of a file."""
    return re.sub(r"\W+", "-", title.lower()).strip("-")[:_LONGEST] or "change"
