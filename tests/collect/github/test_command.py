"""The whole run: what it prints, what it costs, and what it leaves behind."""

from __future__ import annotations

import io
import json
import subprocess
import sys

import pytest
from rich.console import Console
from rich.progress import Progress

from hrm_ray.collect import records
from hrm_ray.collect.command import collect
from hrm_ray.collect.github.command import collect_github
from hrm_ray.errors import UserError
from hrm_ray.files import sha256
from tests.collect.github.conftest import Configure, filled, run
from tests.collect.github.server import SmallGitHub, refuse
from tests.conftest import ROOT


def test_requests_for_each_pull_request_are_few_and_reported(github: SmallGitHub, configure: Configure) -> None:
    filled(github, "o/one", 50)
    said = run(configure(repositories=["o/one"]), github)
    assert (
        len(github.asked) == 2 + 3 + 50 + 5
    )  # the repository, its newest tree, pages of 20, comparisons, contents of 10 at once
    assert "looked at 50 pull requests with 58 requests, 1.16 for each that is kept" in said


def test_what_is_refused_early_costs_no_request_of_its_own(github: SmallGitHub, configure: Configure) -> None:
    repo = filled(github, "o/one", 1)
    for number in range(19):
        repo.pull(f"Say {number}", {"README": str(number)})
    said = run(configure(repositories=["o/one"]), github)
    assert len(github.asked) == 2 + 1 + 1 + 1
    assert "dropped 19: pull request without a Go file that a person wrote" in said


def test_a_repository_that_fails_does_not_stop_the_others_and_is_tried_again(
    github: SmallGitHub, configure: Configure
) -> None:
    filled(github, "o/one", 12)
    filled(github, "o/two", 2)
    base = github.world.repositories["o/one"].pulls[2].base
    github.fault(f"compare/{base}", refuse(500), times=7)
    github.fault("rate_limit", refuse(500), times=7)
    config = configure(repositories=["o/gone", "o/one", "o/two"])
    said = run(config, github).splitlines()
    at = said.index("failed 2; the same command tries them again:")
    assert said[at + 1 : at + 3] == [
        "  o/gone: it is not there, or the token may not see it",
        "  o/one: GitHub answers with 500, 7 times in a row",
    ]
    found = [(each.repo.full_name, each.pull_request.number) for each in records.read(config.pull_requests)]
    assert found == [*(("o/one", number) for number in range(12, 3, -1)), ("o/two", 2), ("o/two", 1)]
    run(config, github)
    assert sum(1 for _ in records.read(config.pull_requests)) == 14


def test_only_nothing_at_all_is_an_error_and_it_says_why(github: SmallGitHub, configure: Configure) -> None:
    filled(github, "o/one", 2)
    filled(github, "o/own", 1, license=None)
    github.world.add("o/empty")
    clean = {"added_lines": [100, 200]}
    for name, why in (
        ("o/one", r"no pull request came \(pull request with too few added lines: 2\)"),
        ("o/empty", r"no pull request came \(there is none\)"),
        ("o/gone", r"no pull request came \(o/gone: it is not there"),
        ("o/own", r"under license NOASSERTION, .*: o/own; if the code is your own, set clean\.licenses: any\)"),
    ):
        config = configure(repositories=[name], clean=clean)
        with pytest.raises(UserError, match=why):
            run(config, github)
        assert not config.pull_requests.exists()


def test_the_bar_shows_pull_requests_requests_left_and_the_reset(github: SmallGitHub, configure: Configure) -> None:
    filled(github, "o/one", 9)
    progress = Progress(console=Console(file=io.StringIO(), width=1000), disable=True)
    collect_github(configure({"pull_requests": 8}, repositories=["o/one"]), progress, github.clock)
    (task,) = progress.tasks
    assert (task.completed, task.total) == (8, 8)
    assert task.description == "o/one, 4,988 requests left, reset in 60 min"


def test_a_wait_for_the_reset_is_announced(github: SmallGitHub, configure: Configure) -> None:
    filled(github, "o/one", 9)
    github.limit = 5
    said = run(configure(repositories=["o/one"]), github)
    assert said.count("GitHub's limit is used up; waiting until ") == len(github.clock.slept) > 0
    assert "9 pull requests" in said


def test_what_was_collected_is_described_beside_it(github: SmallGitHub, configure: Configure) -> None:
    github.world.add("up/two")
    github.world.add("o/gpl", license="GPL-3.0")
    github.world.add("o/empty")
    filled(github, "o/one", 3).pull("Say", {"README": "more"})
    filled(github, "o/two", 2, fork_of="up/two")
    config = configure(repositories=["o/one", "o/gpl", "o/empty", "o/two"])
    said = run(config, github)
    assert "left out 1 under license GPL-3.0, which clean.licenses does not allow: o/gpl" in said
    about = json.loads((config.data / "collection.json").read_text())
    assert about == {
        "source": "github",
        "pull_requests_sha256": sha256(config.pull_requests),
        "repositories": [
            {"full_name": "o/one", "license": "MIT", "fork_of": "", "looked_at": 4, "kept": 3},
            {"full_name": "o/empty", "license": "MIT", "fork_of": "", "looked_at": 0, "kept": 0},
            {"full_name": "o/two", "license": "MIT", "fork_of": "up/two", "looked_at": 2, "kept": 2},
        ],
        "drops": {"pull request without a Go file that a person wrote": 1, "repository under GPL-3.0": 1},
        "requests": 9,
        "settings": config.collect.model_dump(mode="json"),
    }
    forks = {each.repo.full_name: each.repo.fork_of for each in records.read(config.pull_requests)}
    assert forks == {"o/one": "", "o/two": "up/two"}


def test_the_client_is_imported_by_nobody_else() -> None:
    code = "import sys, hrm_ray.collect.command; print('githubkit' in sys.modules or 'httpx' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_the_verb_leads_here(github: SmallGitHub, configure: Configure) -> None:
    filled(github, "o/one", 1)
    config = configure(repositories=["o/one"])
    collect(config, Progress(console=Console(file=io.StringIO()), disable=True))
    assert config.pull_requests.exists()
