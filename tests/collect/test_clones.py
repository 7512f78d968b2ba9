from __future__ import annotations

import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from rich.progress import Progress

from hrm_ray import settings
from hrm_ray.collect import records
from hrm_ray.collect.command import collect
from hrm_ray.collect.forges import MADE_UP
from hrm_ray.config import Config
from hrm_ray.errors import UserError
from tests.collect.licenses.texts import MIT
from tests.collect.repository import Repo, go


@pytest.fixture
def clones(tmp_path: Path) -> list[str]:
    made = [Repo.new(tmp_path / "o" / name) for name in ("one", "two")]
    for repo in made:
        for number in (1, 2, 3):
            repo.commit(f"Change {number} (#{number})", {"a.go": go("a", f"{repo.path.name.title()}{number}")})
        repo.commit("Say (#4)", {"README": "said"})
    return [str(repo.path) for repo in made]


OWN = {"licenses": "any"}


def configured(tmp_path: Path, clean: dict[str, Any] = OWN, **collected: Any) -> Config:
    tree = {"name": "t", "data": str(tmp_path / "data"), "collect": collected, "clean": clean}
    return settings.parse(tree, "test")


def run(config: Config) -> str:
    printed = io.StringIO()
    collect(config, Progress(console=Console(file=printed, width=1000), disable=True))
    return printed.getvalue()


def test_the_newest_of_each_clone_and_what_was_dropped(tmp_path: Path, clones: list[str]) -> None:
    config = configured(tmp_path, source="history", clones=clones, pull_requests=2)
    said = run(config)
    found = [(each.repo.full_name, each.pull_request.number) for each in records.read(config.pull_requests)]
    assert found == [("o/one", 3), ("o/one", 2), ("o/two", 3), ("o/two", 2)]
    assert "o/one: 4 pull requests in 5 commits" in said
    assert "looked at 6 pull requests" in said
    assert "dropped 2: pull request without a Go file that a person wrote" in said
    assert f"{config.pull_requests}: 4 pull requests" in said


def test_every_commit_but_merges_and_the_first_as_if_it_were_a_pull_request(tmp_path: Path) -> None:
    repo = Repo.new(tmp_path / "o" / "name")
    repo.commit("Add A", {"a.go": go("a", "A")})
    repo.git("checkout", "--quiet", "-b", "topic")
    head = repo.commit("Add B\n\nIt was missing.", {"b.go": go("b", "B")})
    repo.git("checkout", "--quiet", "main")
    repo.commit("Text alone", {"README": "text"})
    repo.commit("Add C", {"c.go": go("c", "C")})
    repo.merge("topic", "Merge pull request #9 from someone/topic\n\nAdd b")
    config = configured(tmp_path, source="commits", clones=[str(repo.path)])
    said = run(config)
    found = [each.pull_request for each in records.read(config.pull_requests)]
    assert [each.title for each in found] == ["Add C", "Add B", "Add A"], "newest first, whatever branch"
    assert min(each.number for each in found) > MADE_UP
    assert len({each.number for each in found}) == 3
    (added,) = (each for each in found if each.title == "Add B")
    assert (added.body, added.head_sha, added.base_sha) == ("It was missing.", head, repo.git("rev-parse", f"{head}~"))
    assert "o/name: 4 commits" in said
    assert "dropped 1: pull request without a Go file that a person wrote" in said


def test_a_history_that_names_few_pull_requests_is_described(tmp_path: Path, clones: list[str]) -> None:
    plain = Repo.new(tmp_path / "o" / "plain")
    for at in range(12):
        plain.commit(f"Step {at}", {"b.go": go("b", f"B{at}")})
    plain.commit("Grow (#1)", {"a.go": go("a", "B")})
    said = run(configured(tmp_path, source="history", clones=[str(plain.path), clones[0]]))
    (look,) = (line for line in said.splitlines() if "See merge request" in line)
    assert look.startswith("o/plain: of 14 commits 1 ")
    assert "(squash 1)" in look
    assert "0 are merges" in look


def test_a_history_that_names_none_says_which_messages_count(tmp_path: Path) -> None:
    plain = Repo.new(tmp_path / "o" / "plain")
    with pytest.raises(UserError, match="See merge request"):
        run(configured(tmp_path, source="history", clones=[str(plain.path)]))


def test_functions_go_to_a_file_of_their_own(tmp_path: Path, clones: list[str]) -> None:
    repo = Repo(Path(clones[0]))
    repo.commit("Doc", {"d.go": "package d\n\n// F does one thing well.\nfunc F() {}\n"})
    config = configured(tmp_path, source="functions", clones=clones)
    said = run(config)
    (row,) = map(json.loads, config.functions.read_text().splitlines())
    assert (row["repository"], row["doc"]) == ("o/one", "F does one thing well.")
    assert f"--set prepare.functions={config.functions}" in said
    assert not config.pull_requests.exists()


@pytest.mark.parametrize("source", ["history", "functions"])
def test_a_clone_whose_license_is_not_allowed_is_named_and_left_out(
    tmp_path: Path, clones: list[str], source: str
) -> None:
    Repo(Path(clones[1])).commit(
        "License", {"LICENSE": MIT, "d.go": "package d\n\n// F does a thing well.\nfunc F() {}\n"}
    )
    config = configured(tmp_path, {}, source=source, clones=clones)
    said = run(config)
    assert "left out, for clean.licenses does not allow it: o/one: NOASSERTION" in said
    assert "o/one: 4" not in said
    assert "o/two: " in said


def test_no_allowed_license_at_all_is_said(tmp_path: Path, clones: list[str]) -> None:
    config = configured(tmp_path, {}, source="history", clones=clones)
    with pytest.raises(UserError, match=r"none has a license that .* \(o/one: NOASSERTION, .*\); if .*licenses: any"):
        run(config)
    assert not config.pull_requests.exists()


def test_clones_of_one_name_are_refused(tmp_path: Path, clones: list[str]) -> None:
    config = configured(tmp_path, source="history", clones=[clones[0], f"file://{clones[0]}"])
    with pytest.raises(UserError, match=r"one and file://.*one are both called o/one"):
        run(config)
    assert not config.pull_requests.exists()


def test_a_wrong_clone_is_named_before_the_first_is_read(tmp_path: Path, clones: list[str]) -> None:
    printed = io.StringIO()
    config = configured(tmp_path, source="history", clones=[*clones, "nowhere/at/all"])
    with pytest.raises(UserError, match="nowhere/at/all"):
        collect(config, Progress(console=Console(file=printed, width=1000), disable=True))
    assert printed.getvalue().splitlines() == [f"opening {place}" for place in config.collect.clones]


def test_the_same_command_writes_the_same_bytes(tmp_path: Path, clones: list[str]) -> None:
    for source in ("history", "functions"):
        Repo(Path(clones[0])).commit("Doc", {"d.go": "package d\n\n// F does one thing well.\nfunc F() {}\n"})
        config = configured(tmp_path, source=source, clones=clones)
        path = config.pull_requests if source == "history" else config.functions
        written = []
        for _ in range(2):
            run(config)
            written.append(path.read_bytes())
        assert written[0] == written[1]


@pytest.fixture
def stuck(tmp_path: Path, clones: list[str]) -> Iterator[tuple[Config, subprocess.Popen[str]]]:
    """A `collect` over an earlier result whose git does not answer when it is asked for patches."""
    config = configured(tmp_path, source="history", clones=clones, pull_requests=2)
    run(config)
    asked, git = tmp_path / "asked", tmp_path / "bin" / "git"
    git.parent.mkdir()
    script = f'case "$*" in *--find-renames*) touch {asked}; exec cat > /dev/null;; esac\n'
    git.write_text(f'#!/bin/sh\n{script}exec {shutil.which("git")} "$@"\n')
    git.chmod(0o755)
    (tmp_path / "config.yaml").write_text(settings.dump(config))
    (tmp_path / "tmp").mkdir()
    process = subprocess.Popen(
        [sys.executable, "-m", "hrm_ray", "collect", str(tmp_path / "config.yaml")],
        env={**os.environ, "PATH": f"{git.parent}:{os.environ['PATH']}", "TMPDIR": str(tmp_path / "tmp")},
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    while not asked.exists() and process.poll() is None:
        time.sleep(0.05)
    yield config, process
    process.kill()
    process.communicate()


@pytest.mark.fault
def test_a_kill_in_the_middle_leaves_the_earlier_result(stuck: tuple[Config, subprocess.Popen[str]]) -> None:
    config, process = stuck
    before = config.pull_requests.read_bytes()
    process.kill()
    assert process.wait() == -signal.SIGKILL
    assert config.pull_requests.read_bytes() == before
    assert "4 pull requests" in run(config)
    assert config.pull_requests.read_bytes() == before
    assert {each.name for each in config.data.iterdir()} == {config.pull_requests.name, "collection.json"}


@pytest.mark.fault
def test_an_interrupt_leaves_the_earlier_result_and_no_litter(
    tmp_path: Path, stuck: tuple[Config, subprocess.Popen[str]]
) -> None:
    config, process = stuck
    before = config.pull_requests.read_bytes()
    process.send_signal(signal.SIGINT)
    assert process.wait() == 130
    assert config.pull_requests.read_bytes() == before
    assert not list((tmp_path / "tmp").glob("hrm-ray-*"))


def test_nothing_left_is_said_with_the_reasons(tmp_path: Path, clones: list[str]) -> None:
    config = configured(tmp_path, OWN | {"added_lines": [1000, 2000]}, source="history", clones=clones)
    with pytest.raises(UserError, match=r"nothing in them passed .*too few added lines: 6, .*Go file that a person.*2"):
        run(config)
    assert not config.pull_requests.exists()


def test_a_clone_that_is_none_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"nowhere/at/all: there is no such folder"):
        run(configured(tmp_path, source="functions", clones=["nowhere/at/all"]))
