"""The command line: a closed list of verbs and options, exit codes, one sentence for a mistake, and a quick answer."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from hrm_ray.cli import app
from hrm_ray.config import Config
from tests.conftest import ROOT

VERBS = {
    "collect": {"config", "--set"},
    "prepare": {"config", "--set"},
    "train": {"config", "--set", "--show"},
    "tune": {"search", "--set", "--show"},
    "submit": {"verb", "subject", "--set", "--address"},
    "evaluate": {"run", "--set"},
    "generate": {
        "run",
        "--set",
        "--title",
        "--body",
        "--repo",
        "--file",
        "--declaration",
        "--add",
        "--top",
        "--problems",
        "--to",
    },
    "export": {"run", "--to", "--set"},
    "report": {"run"},
    "doctor": set(),
}


def hrm_ray(*words: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"NO_COLOR": "1", "COLUMNS": "200"}
    command = [sys.executable, "-m", "hrm_ray", *words]
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False, timeout=120)


def test_verbs_and_options_are_a_closed_list() -> None:
    group = typer.main.get_command(app)
    found = {
        name: {param.opts[0] for param in command.params if param.opts[0] != "--help"}
        for name, command in group.commands.items()  # type: ignore[attr-defined]
    }
    assert found == VERBS


def test_help_names_every_verb() -> None:
    done = hrm_ray("--help")
    assert done.returncode == 0
    assert all(verb in done.stdout for verb in VERBS)


def test_help_imports_nothing_heavy() -> None:
    heavy = ("torch", "ray", "pyarrow", "pydantic", "numpy")
    code = f"import sys, hrm_ray.cli; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (
            ["train", "experiments/demo.smoke.yaml", "--set", "data=nowhere"],
            "nowhere/dataset.json: no dataset there; run `hrm-ray prepare` first",
        ),
        (["train", "experiments/demo.smoke.yaml", "--set", "train.device=cuda"], "1 GPU each is asked for"),
        (["prepare", "experiments/demo.smoke.yaml", "--set", "data=nowhere"], "run `hrm-ray collect` first"),
        (["collect", "experiments/demo.smoke.yaml", "--set", "prepare.input=x"], "prepare.input is x"),
    ],
)
def test_a_mistake_is_one_sentence_and_exit_code_2(smoke: Config, words: list[str], sentence: str) -> None:
    places = ["--set", f"runs={smoke.runs / 'other'}"]
    if words[0] == "train" and "data=nowhere" not in words:
        places += ["--set", f"data={smoke.data}"]
    done = hrm_ray(*words[:2], *places, *words[2:])
    assert done.returncode == 2, done.stderr
    assert sentence in done.stderr
    assert done.stderr.startswith("error: ")
    assert len(done.stderr.strip().splitlines()) == 1


def test_an_internal_fault_is_a_traceback_and_exit_code_1() -> None:
    code = (
        "import sys, hrm_ray.launch.doctor as d\n"
        "d.examine = lambda: 1 // 0\n"
        "sys.argv = ['hrm-ray', 'doctor']\n"
        "from hrm_ray.cli import main\nmain()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "ZeroDivisionError" in done.stderr


def test_show_prints_the_tree_and_what_follows(smoke: Config) -> None:
    prepared = hrm_ray("train", "experiments/demo.smoke.yaml", "--show", "--set", f"data={smoke.data}")
    assert prepared.returncode == 0, prepared.stderr
    assert "vocab_size: 1024" in prepared.stdout
    assert "parameters" in prepared.stdout
    assert "steps of at most 2,048 tokens" in prepared.stdout
    unprepared = hrm_ray("train", "experiments/demo.smoke.yaml", "--show", "--set", "data=nowhere")
    assert unprepared.returncode == 0, unprepared.stderr
    assert "unknown until prepared" in unprepared.stdout


def test_training_again_says_that_it_resumes(smoke: Config) -> None:
    places = ["--set", f"data={smoke.data}", "--set", f"runs={smoke.runs}"]
    done = hrm_ray("train", "experiments/demo.smoke.yaml", *places)
    assert done.returncode == 0, done.stderr
    assert f"{smoke.run_dir} is trained to its end already" in done.stdout
    refused = hrm_ray("train", "experiments/demo.smoke.yaml", *places, "--set", "train.losses.code=1")
    assert refused.returncode == 2
    assert "another train.losses.code; a resumed run may change only train.epochs" in refused.stderr


def test_doctor_lists_what_it_looked_for() -> None:
    done = hrm_ray("doctor")
    assert done.returncode == 0, done.stdout
    assert all(word in done.stdout for word in ("torch", "CPUs", "memory", "free disk", "Go toolchain", "sandbox"))
