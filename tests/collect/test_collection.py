from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from rich.progress import Progress

from hrm_ray import settings
from hrm_ray.collect import records
from hrm_ray.collect.collection import NAME, Tally
from hrm_ray.collect.command import collect
from hrm_ray.collect.records import Repository
from hrm_ray.config import Config
from hrm_ray.files import sha256
from tests.collect.repository import Repo, go
from tests.collect.test_records import many


def configured(tmp_path: Path, **collected: Any) -> Config:
    return settings.parse({"name": "t", "data": str(tmp_path / "data"), "collect": collected}, "test")


def described(config: Config) -> dict[str, Any]:
    about: dict[str, Any] = json.loads((config.data / NAME).read_text())
    assert about["pull_requests_sha256"] == sha256(config.pull_requests)
    assert about["settings"] == config.collect.model_dump(mode="json")
    return about


def run(config: Config) -> None:
    collect(config, Progress(console=Console(file=io.StringIO()), disable=True))


def test_a_tally_counts_what_passes_and_what_does_not(tmp_path: Path) -> None:
    config = configured(tmp_path)
    tally = Tally()
    tally.begin(Repository("o/none", "MIT", "up/none"))
    tally.begin(Repository("o/n", "MIT"))
    tally.looked_at["o/n"] = 5
    tally.drops.update({"b": 1, "a": 2})
    records.write(config.pull_requests, tally.passed(many(3)))
    tally.write(config, requests=7)
    about = described(config)
    assert about["repositories"] == [
        {"full_name": "o/none", "license": "MIT", "fork_of": "up/none", "looked_at": 0, "kept": 0},
        {"full_name": "o/n", "license": "MIT", "fork_of": "", "looked_at": 5, "kept": 3},
    ]
    assert (list(about["drops"].items()), about["requests"]) == ([("a", 2), ("b", 1)], 7)


def test_made_up_pull_requests_are_described_too(tmp_path: Path) -> None:
    config = configured(tmp_path, repositories=2, pull_requests=3)
    run(config)
    about = described(config)
    assert (about["source"], about["drops"], about["requests"]) == ("synthetic", {}, None)
    assert [(each["looked_at"], each["kept"]) for each in about["repositories"]] == [(3, 3), (3, 3)]


@pytest.fixture
def clone(tmp_path: Path) -> str:
    repo = Repo.new(tmp_path / "o" / "n")
    repo.commit("Change (#1)", {"a.go": go("a", "F"), "LICENSE": "x"})
    repo.commit("Say (#2)", {"README": "said"})
    return str(repo.path)


def test_a_history_is_described_and_the_same_command_says_the_same(tmp_path: Path, clone: str) -> None:
    tree = {"source": "history", "clones": [clone]}
    config = settings.parse(
        {"name": "t", "data": str(tmp_path / "data"), "collect": tree, "clean": {"licenses": "any"}}, "test"
    )
    run(config)
    about, text = described(config), (config.data / NAME).read_bytes()
    assert about["repositories"] == [
        {"full_name": "o/n", "license": "NOASSERTION", "fork_of": "", "looked_at": 2, "kept": 1}
    ]
    assert sum(about["drops"].values()) == 1
    run(config)
    assert (config.data / NAME).read_bytes() == text
