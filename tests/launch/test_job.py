"""A job that could not run on the cluster is refused before anything is sent."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from hrm_ray.errors import UserError
from hrm_ray.launch import job
from tests.conftest import ROOT

SMOKE = "experiments/demo.smoke.yaml"


@pytest.mark.parametrize(
    ("verb", "subject", "overrides", "sentence"),
    [
        (
            "train",
            SMOKE,
            [],
            f"{SMOKE}: data and runs must be absolute, .*: --set data=/shared/data --set runs=/shared/",
        ),
        ("train", SMOKE, ["data=/shared/data"], ": runs must be absolute, .*: --set runs=/shared/runs$"),
        (
            "train",
            SMOKE,
            ["data=/a", "runs=/a", "train.mixture=[{data: data/other, weight: 0.3}]"],
            ": train.mixture must be absolute, .*: change that file$",
        ),
        (
            "prepare",
            "experiments/real-tiny.yaml",
            ["data=/a"],
            "prepare.input must .*--set prepare.input=/shared/input$",
        ),
        (
            "collect",
            SMOKE,
            ["data=/a", "collect={source: history, clones: [../go]}"],
            ": collect.clones must be absolute",
        ),
        ("tune", "experiments/tune-first.yaml", [], "experiments/real-tiny.yaml: data and runs .*: change that file$"),
        ("evaluate", "runs/demo", [], "runs/demo: must be an absolute path"),
        ("train", "/etc/hosts", [], "/etc/hosts: lies outside "),
        ("train", SMOKE, ["data=~/data", "runs=/a"], "data must be absolute, .*: --set data=/shared/data$"),
        ("collect", SMOKE, ["data=/a", "collect={source: history, clones: [/b, ~/go]}"], "collect.clones must be"),
        ("train", "experiments/tune-first.yaml", [], "`tune`"),
        ("tune", SMOKE, [], "`train`"),
        ("train", SMOKE, ["train.rosw=1"], "train.rosw is not a key"),
        ("generate", "/runs/demo", [], "generate: not a verb that a job can run; those are collect, prepare, train, "),
    ],
)
def test_what_could_not_run_there_is_refused_here(
    verb: str, subject: str, overrides: list[str], sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    with pytest.raises(UserError, match=sentence):
        job.entrypoint(verb, Path(subject), overrides)


def test_the_command_is_quoted_and_clones_may_be_urls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    clones = "collect={source: history, clones: ['https://host/owner/name.git', 'git@host:owner/name', /srv/go]}"
    command = job.entrypoint("collect", ROOT / SMOKE, ["data=/shared/data", clones])
    words = ["python", "-m", "hrm_ray", "collect", SMOKE, "--set", "data=/shared/data", "--set", clones]
    assert shlex.split(command) == words
