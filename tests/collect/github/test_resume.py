"""A run that was killed goes on: nothing lost, nothing twice, and the same bytes as one that was never stopped."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from hrm_ray import settings
from hrm_ray.collect import records
from hrm_ray.collect.github import collector, pulls
from hrm_ray.collect.github.client import Client
from hrm_ray.config import Config
from hrm_ray.errors import UserError
from hrm_ray.files import locked
from tests.collect.github.conftest import Configure, filled, run
from tests.collect.github.server import SmallGitHub, refuse
from tests.conftest import ROOT


class Killed(BaseException):
    """Nothing catches this."""


@pytest.fixture
def config(github: SmallGitHub, configure: Configure) -> Config:
    filled(github, "o/one", 24)
    two = filled(github, "o/two", 9)
    two.pull("Say", {"README": "more"})
    return configure({"pull_requests": 22}, repositories=["o/one", "o/two"])


def elsewhere(config: Config, data: Path) -> Config:
    return config.model_copy(update={"data": data})


def written(config: Config) -> tuple[bytes, list[tuple[str, int]]]:
    found = [(each.repo.full_name, each.pull_request.number) for each in records.read(config.pull_requests)]
    return config.pull_requests.read_bytes(), found


@pytest.mark.fault
def test_stopped_before_any_of_its_requests_a_run_ends_in_the_same_bytes(
    tmp_path: Path, github: SmallGitHub, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pulls, "PER_PAGE", 5)
    monkeypatch.setattr(collector, "BATCH", 3)
    config = config.model_copy(update={"collect": config.collect.model_copy(update={"pull_requests": 7})})
    run(config, github)
    whole, total = written(config), len(github.asked)
    sent = Client._sent
    for stop in range(total):
        left = [stop]

        def killing(client: Client, request: object, left: list[int] = left) -> None:
            if not left[0]:
                raise Killed
            left[0] -= 1
            sent(client, request)  # type: ignore[arg-type]

        again = elsewhere(config, tmp_path / str(stop))
        with monkeypatch.context() as patched, pytest.raises(Killed):
            patched.setattr(Client, "_sent", killing)
            run(again, github)
        run(again, github)
        assert written(again) == whole, f"stopped before request {stop}"


@pytest.mark.fault
def test_stopped_in_the_middle_little_is_asked_for_twice(
    tmp_path: Path, github: SmallGitHub, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(config, github)
    total = len(github.asked)
    github.asked.clear()
    again = elsewhere(config, tmp_path / "again")
    github.fault("o/two/compare", refuse(401))
    with pytest.raises(UserError, match="GITHUB_TOKEN"):
        run(again, github)
    run(again, github)
    # Two lists and two trees that are asked for once more were free; three pages and the refused comparison were not.
    assert len(github.asked) <= total + 4 + 3 + 1


@pytest.mark.parametrize("at", [2, 9, 13, 27])
@pytest.mark.fault
def test_a_killed_process_goes_on(tmp_path: Path, github: SmallGitHub, config: Config, at: int) -> None:
    run(config, github)
    whole = written(config)
    github.asked.clear()
    again = elsewhere(config, tmp_path / "again")
    file = tmp_path / "t.yaml"
    file.write_text(settings.dump(again))
    running: list[subprocess.Popen[bytes]] = []

    def kill(name: str) -> None:
        if len(github.asked) == at:
            os.kill(running[0].pid, signal.SIGKILL)
            running[0].wait()

    github.before = kill
    command = [sys.executable, "-m", "hrm_ray", "collect", str(file)]
    running.append(subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT))
    running[0].communicate()
    assert running[0].returncode == -signal.SIGKILL
    assert not again.pull_requests.exists()
    github.before = lambda name: None
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert written(again) == whole
    assert (again.data / "collection.json").exists()
    assert "31 pull requests" in done.stdout


def test_a_second_run_asks_for_nothing_but_pages(github: SmallGitHub, config: Config) -> None:
    run(config, github)
    first = config.pull_requests.read_bytes(), (config.data / "collection.json").read_bytes()
    github.asked.clear()
    run(config, github)
    names = [name.split("?")[0].split()[0] for name in github.asked]
    pages = ["/api/graphql"] * 2
    lists = [[f"/api/v3/repos/{name}", f"/api/v3/repos/{name}/git/trees/HEAD"] for name in ("o/one", "o/two")]
    assert names == [*lists[0], *pages, *lists[1], *pages[:1]]
    assert github.count("PullRequests") == 3
    assert (config.pull_requests.read_bytes(), (config.data / "collection.json").read_bytes()) == first


def test_what_was_merged_since_comes_with_the_same_command(tmp_path: Path, github: SmallGitHub, config: Config) -> None:
    one = github.world.repositories["o/one"]
    late = one.pulls.pop(10)  # opened already, but not merged yet
    run(config, github)
    assert [number for name, number in written(config)[1] if name == "o/one"] == [*range(24, 11, -1), *range(10, 1, -1)]
    one.pulls.insert(10, late)
    one.pull("Newest", {"a.go": "package a\n\nfunc N() {}\n"})
    github.asked.clear()
    run(config, github)
    assert [number for name, number in written(config)[1] if name == "o/one"] == list(range(25, 3, -1))
    assert github.count("compare") == 2
    assert github.count("Contents") == 1
    fresh = elsewhere(config, tmp_path / "fresh")
    run(fresh, github)
    assert written(fresh) == written(config)


def test_more_pull_requests_are_asked_for_where_the_last_ones_ended(
    github: SmallGitHub, config: Config, configure: Configure
) -> None:
    run(config, github)
    github.asked.clear()
    more = configure({"pull_requests": 30}, repositories=["o/two", "o/one"])
    run(more, github)
    assert github.count("compare") == 2
    assert [number for name, number in written(more)[1] if name == "o/one"] == list(range(24, 0, -1))
    fewer = configure({"pull_requests": 2}, repositories=["o/one"])
    run(fewer, github)
    assert written(fewer)[1] == [("o/one", 24), ("o/one", 23)]


def test_what_was_merged_between_two_runs_comes_once(
    tmp_path: Path, github: SmallGitHub, config: Config, configure: Configure
) -> None:
    github.fault("o/two/compare", refuse(401))
    with pytest.raises(UserError):
        run(config, github)
    filled_again = github.world.repositories["o/two"]
    filled_again.pull("Newest", {"a.go": "package a\n\nfunc N() {}\n"})
    run(config, github)
    numbers = [number for name, number in written(config)[1] if name == "o/two"]
    assert sorted(numbers, reverse=True) == numbers == [11, 9, 8, 7, 6, 5, 4, 3, 2, 1]


def test_other_settings_are_not_mixed_in(github: SmallGitHub, config: Config, configure: Configure) -> None:
    run(config, github)
    for other, key in (
        (configure(repositories=["o/one"], comments=True), r"collect\.github\.comments"),
        (configure(repositories=["o/one"], clean={"go_files": [1, 5]}), r"clean\.go_files"),
    ):
        with pytest.raises(UserError, match=f"github was begun with another {key}; set it back, or remove"):
            run(other, github)


def test_a_second_process_is_refused(github: SmallGitHub, config: Config) -> None:
    with locked(config.data / "github"), pytest.raises(UserError, match="another process is working in it"):
        run(config, github)
    assert not github.asked
