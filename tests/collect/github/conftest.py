"""What the tests of the GitHub collector share: the small GitHub, and a run against it."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from rich.progress import Progress

from hrm_ray import settings
from hrm_ray.collect.github.command import collect_github
from hrm_ray.config import Config
from tests.collect.github.server import TOKEN, SmallGitHub
from tests.collect.github.world import Repo
from tests.collect.repository import go

Configure = Callable[..., Config]


@pytest.fixture
def github(monkeypatch: pytest.MonkeyPatch) -> Iterator[SmallGitHub]:
    monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
    with SmallGitHub().running() as running:
        yield running
    assert not running.wrong


@pytest.fixture
def configure(tmp_path: Path, github: SmallGitHub) -> Configure:
    """Makes settings for the small GitHub: those of `collect.github` by keyword, others as trees."""

    def made(collect: dict[str, Any] | None = None, clean: dict[str, Any] | None = None, **given: Any) -> Config:
        source = {"source": "github", "github": {"api": github.address, **given}, **(collect or {})}
        tree = {"name": "t", "data": str(tmp_path / "data"), "collect": source, "clean": clean or {}}
        return settings.parse(tree, "test")

    return made


def run(config: Config, github: SmallGitHub) -> str:
    """Collect, with the small GitHub's clock, and return what was printed."""
    printed = io.StringIO()
    collect_github(config, Progress(console=Console(file=printed, width=1000), disable=True), github.clock)
    return printed.getvalue()


def filled(github: SmallGitHub, name: str, pulls: int, **about: Any) -> Repo:
    """A repository with pull requests that each change one function of `a.go`."""
    repo = github.world.add(name, **about)
    names = ["F", *(f"G{number}" for number in range(3))]
    repo.push({"a.go": go("a", *names), "README": "said"})
    for number in range(1, pulls + 1):
        changed = go("a", *names).replace("return 1", f"return {number + 1}", 1)
        repo.pull(f"Change {number}", {"a.go": changed}, body=f"Because of {number}.")
    return repo
