"""Jobs on a real head, with a dashboard and a token: what travels, what the log says, how each ends, who is refused."""

from __future__ import annotations

import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from zipfile import ZipFile

import pytest
from ray._private.runtime_env.packaging import create_package
from ray.job_submission import JobDetails, JobStatus

from hrm_ray import settings
from hrm_ray.collect.command import collect
from hrm_ray.errors import UserError
from hrm_ray.launch import job, submit
from hrm_ray.prepare.pipeline import prepare
from hrm_ray.progress import bars
from hrm_ray.yaml_text import parse_yaml
from tests.conftest import ROOT
from tests.launch.head import TOKEN, Head

SMOKE = "experiments/demo.smoke.yaml"
STAYS = (
    ".git/config",
    ".venv/bin/tool",
    "data/demo/train/part-00000.arrow",
    "runs/demo/checkpoints/step-00000001/weights-00000.safetensors",
    ".mypy_cache/file",
    ".hypothesis/file",
    "hrm_ray.egg-info/PKG-INFO",
    "hrm_ray/__pycache__/cli.pyc",
)
"""What a used checkout also holds and no job may take along."""


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("submit") / "checkout"
    tops = {path.split("/")[0] for path in STAYS} - {"hrm_ray"}
    ignored = shutil.ignore_patterns("__pycache__", ".*_cache", *tops)
    shutil.copytree(ROOT, folder, ignore=ignored)
    for path in STAYS:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text("stays here")
    return folder


def test_submit_follows_a_job_to_its_good_end(head: Head, checkout: Path, tmp_path: Path) -> None:
    """Behind a proxy that is down, and without RAY_AUTH_MODE."""
    config = ["collect", SMOKE, "--set", f"data={tmp_path}"]
    unset = {name: value for name, value in head.environment.items() if name != "RAY_AUTH_MODE"}
    elsewhere = {"RAY_ADDRESS": "http://127.0.0.1:1", "http_proxy": "http://127.0.0.1:1"}
    done = replace(head, environment=unset).submit(checkout, *config, "--address", f"{head.address}/ ", **elsewhere)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "pull_requests.parquet").exists()
    assert "collecting 64 synthetic pull requests" in done.stdout
    assert re.search(r"^raysubmit_\w+ succeeded$", done.stdout, re.MULTILINE)
    assert done.stderr == ""


@pytest.fixture(scope="module")
def trained(
    head: Head, checkout: Path, ray_session: None, tmp_path_factory: pytest.TempPathFactory
) -> tuple[subprocess.CompletedProcess[str], Path]:
    """A job that trained, and its run folder."""
    folder = tmp_path_factory.mktemp("shared")
    sets = [f"data={folder / 'data'}", f"runs={folder / 'runs'}", "train.max_steps=2", "baselines=[]"]
    config = settings.load(ROOT / SMOKE, sets)
    with bars() as progress:
        collect(config, progress)
        prepare(config, progress)
    done = head.ray_job_submit(checkout, "train", SMOKE, *(word for one in sets for word in ("--set", one)))
    return done, config.run_dir


def test_a_job_trains(trained: tuple[subprocess.CompletedProcess[str], Path]) -> None:
    done, run = trained
    assert done.returncode == 0, done.stdout + done.stderr
    assert (run / "checkpoints" / "step-00000002" / "manifest.json").exists()
    assert "trained; the best checkpoint is" in done.stdout


@pytest.mark.usefixtures("trained")
def test_no_data_and_no_runs_travel(head: Head) -> None:
    packages = list(head.folder.glob("ray/session_2*/runtime_resources/working_dir_files/*/"))
    assert packages
    for package in packages:
        there = {str(path.relative_to(package)) for path in package.rglob("*") if path.is_file()}
        assert {"hrm_ray/cli.py", SMOKE, "cluster/runtime_env.yaml"} <= there
        assert [path for path in STAYS if path in there] == []


def test_data_stays_even_where_git_does_not_ignore_it(checkout: Path, tmp_path: Path) -> None:
    excludes = parse_yaml((checkout / job.RUNTIME_ENV).read_text(), "runtime_env.yaml")["excludes"]
    create_package(str(checkout), tmp_path / "package.zip", include_gitignore=False, excludes=excludes)
    with ZipFile(tmp_path / "package.zip") as package:
        tops = {name.split("/")[0] for name in package.namelist()}
    assert {"hrm_ray", "experiments", ".mypy_cache"} <= tops
    assert tops.isdisjoint({".git", ".venv", "data", "runs"})


@pytest.mark.usefixtures("trained")
def test_no_job_carries_the_token(head: Head) -> None:
    jobs = head.get("/api/jobs/")
    assert "raysubmit_" in jobs
    assert "PYTHONFAULTHANDLER" in jobs
    assert TOKEN not in jobs


def test_a_failing_job_says_why(head: Head, checkout: Path, tmp_path: Path) -> None:
    places = ["--set", f"data={tmp_path}", "--set", f"runs={tmp_path}"]
    done = head.ray_job_submit(checkout, "train", SMOKE, *places, "--set", "train.judge_rows=4")
    assert done.returncode == 1
    assert "error: --set train.judge_rows: " in done.stdout


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"RAY_AUTH_MODE": "disabled"}, "Unauthorized: Missing authentication token"),
        ({"RAY_AUTH_TOKEN": "0" * 64}, "Forbidden: Invalid authentication token"),
        ({"RAY_AUTH_TOKEN": ""}, "Token authentication is enabled"),
    ],
)
def test_without_the_token_nobody_gets_in(head: Head, checkout: Path, changes: dict[str, str], reason: str) -> None:
    theirs = head.ray_job_submit(checkout, "evaluate", "/nowhere", **changes)
    assert theirs.returncode == 1
    assert reason in theirs.stderr
    ours = head.submit(checkout, "evaluate", "/nowhere", **changes)
    assert ours.returncode == 2
    assert ours.stderr.startswith(f"error: {head.address}: refuses the token, or the lack of one (HTTP 401 or 403)")
    assert len(ours.stderr.splitlines()) == 1


def test_submit_ends_with_2_for_a_mistake_and_with_1_for_a_fault(head: Head, checkout: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(checkout, broken)
    (broken / "hrm_ray" / "collect" / "synthetic" / "__init__.py").write_text("raise ArithmeticError")
    words = ("collect", SMOKE, "--set", f"data={tmp_path / 'data'}")
    with ThreadPoolExecutor() as pool:
        sent = [pool.submit(head.submit, checkout, "report", "/nowhere"), pool.submit(head.submit, broken, *words)]
        mistake, fault = (one.result() for one in sent)
    assert mistake.returncode == 2
    assert "error: /nowhere" in mistake.stdout
    assert "failed with exit code 2" in mistake.stdout
    assert fault.returncode == 1
    assert "ArithmeticError" in fault.stdout
    assert "failed with exit code 1" in fault.stdout


@pytest.mark.fault
def test_ctrl_c_leaves_the_job_and_says_how_to_stop_it(head: Head, checkout: Path, tmp_path: Path) -> None:
    words = ["collect", SMOKE, "--set", f"data={tmp_path}", "--set", "collect.pull_requests=10000000"]
    command = [sys.executable, "-m", "hrm_ray", "submit", *words, "--address", head.address]
    process = subprocess.Popen(command, cwd=checkout, env=head.environment, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("collecting"):
            break
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=60)[0]
    assert process.returncode == 130
    found = re.search(r"^(raysubmit_\w+) goes on; to follow it: (.*); to stop it: (.*)$", said, re.MULTILINE)
    assert found is not None, said
    job, follow, stop = found.groups()
    assert '"RUNNING"' in head.get(f"/api/jobs/{job}")
    assert head.run(*shlex.split(stop), cwd=checkout).returncode == 0
    assert '"STOPPED"' in head.get(f"/api/jobs/{job}")
    assert "collecting" in head.run(*shlex.split(follow), cwd=checkout).stdout


def test_a_folder_that_does_not_say_what_stays_is_not_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=r"cluster/runtime_env.yaml: not in .*; submit from a checkout"):
        submit.submit("evaluate", Path("/runs/demo"), [], "http://127.0.0.1:1")


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        (None, "no cluster is named; give --address http://HEAD:8265, or set RAY_ADDRESS to it"),
        ("127.0.0.1:6379", "127.0.0.1:6379: not the address of a dashboard; give --address"),
        ("http://127.0.0.1:1", "http://127.0.0.1:1: no head answers there .*refused"),
        ("http://127.0.0.1:port", "no head answers there"),
    ],
)
def test_an_address_without_a_head(address: str | None, sentence: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    with pytest.raises(UserError, match=sentence):
        submit.connect(address)


def test_behind_a_proxy_the_head_is_asked_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """The proxy answers, as proxies do for what they cannot reach."""
    with socket.create_server(("127.0.0.1", 0)) as proxy:
        monkeypatch.setenv("http_proxy", f"http://user:hidden@127.0.0.1:{proxy.getsockname()[1]}")
        monkeypatch.setenv("no_proxy", "")
        proxy.settimeout(0)
        with pytest.raises(UserError, match=r"http://127.0.0.1:1: .*refused.*proxy") as caught:
            submit.connect("http://127.0.0.1:1")
        assert "hidden" not in str(caught.value)
        with pytest.raises(BlockingIOError):
            proxy.accept()


def test_a_head_that_does_not_answer_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    assert 2 * submit.ANSWER_SECONDS < 30, "a name may have two addresses"
    monkeypatch.setattr(submit, "ANSWER_SECONDS", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(UserError, match=f"{address}: no head answers there"):
            submit.connect(address)


@pytest.mark.parametrize(
    ("status", "driver", "code"),
    [
        (JobStatus.SUCCEEDED, 0, 0),
        (JobStatus.STOPPED, None, 1),
        (JobStatus.FAILED, 2, 2),
        (JobStatus.FAILED, 1, 1),
        (JobStatus.FAILED, -9, 1),
        (JobStatus.FAILED, None, 1),
    ],
)
def test_exit_codes(status: JobStatus, driver: int | None, code: int, capsys: pytest.CaptureFixture[str]) -> None:
    info = JobDetails(
        type="SUBMISSION", submission_id="one", entrypoint="", status=status, driver_exit_code=driver, message="why"
    )
    assert submit._exit_code(info) == code
    said = capsys.readouterr().out
    assert said.startswith("one ")
    assert ("why" in said) == (status == JobStatus.FAILED and driver is None)
