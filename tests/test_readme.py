"""Every command in the README is marked run, dry-run or not-run; the first two kinds are tested here, in order."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from hrm_ray import settings
from hrm_ray.tune import space
from tests.conftest import ROOT

BLOCK = re.compile(r"```sh ?(?P<mark>[a-z-]*)\n(?P<body>.*?)```", re.DOTALL)
COMMANDS = [
    (m["mark"], line)
    for m in BLOCK.finditer((ROOT / "README.md").read_text("utf-8"))
    for line in m["body"].splitlines()
]
VERBS = ("collect", "prepare", "train", "evaluate", "generate", "export", "report", "tune", "submit", "doctor")


def marked(mark: str) -> list[str]:
    return [line for found, line in COMMANDS if found == mark]


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the experiments in it, in which the README's commands are run one after the other."""
    place = tmp_path_factory.mktemp("readme")
    shutil.copytree(ROOT / "experiments", place / "experiments")
    return place


def test_every_command_is_marked() -> None:
    assert COMMANDS
    assert {mark for mark, _ in COMMANDS} == {"run", "dry-run", "not-run"}


@pytest.mark.parametrize("command", marked("run"))
def test_run(command: str, folder: Path) -> None:
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "NO_COLOR": "1"}
    done = subprocess.run(
        shlex.split(command), cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=280
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


def test_the_run_left_what_the_readme_says(folder: Path) -> None:
    if not (folder / "runs").exists():
        pytest.skip("the README's commands were not run in this session")
    run = folder / next(words[2] for words in map(shlex.split, marked("run")) if words[1] == "report")
    names = ("evaluation.json", "generations.jsonl", "report.html", "decision.json", "metrics.jsonl", "tensorboard")
    assert [name for name in names if not (run / name).exists()] == []


@pytest.mark.parametrize("command", marked("dry-run"))
def test_dry_run(command: str) -> None:
    words = shlex.split(command)
    if words[0] == "make":
        done = subprocess.run([*words, "-n"], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0, done.stderr
        assert all(f"hrm-ray {verb}" in done.stdout for verb in ("collect", "prepare", "train", "evaluate", "report"))
        return
    assert words[0] == "hrm-ray"
    assert words[1] in VERBS
    if words[1] == "tune":
        space.load(ROOT / words[2])
    elif words[2].endswith(".yaml"):
        settings.load(ROOT / words[2])
    else:
        assert words[2] in {f"runs/{path.stem}" for path in (ROOT / "experiments").glob("*.yaml")}


@pytest.mark.parametrize("link", re.findall(r"\]\(([^)]+)\)", (ROOT / "README.md").read_text("utf-8")))
def test_links_lead_somewhere(link: str) -> None:
    assert (ROOT / link).exists()
